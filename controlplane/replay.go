package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/ingest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// Replaying says which dead letters to send through ingest again.
type Replaying struct {
	// Reason as the metric weir_ingest_dead_letters_total has it; empty: all.
	Reason string
	// Organization is a name or an id, Agent an id; empty: all.
	Organization, Agent string
	// After and Before bound when they were put aside.
	After, Before time.Time
	// Send them; else only say what would be.
	Send bool
}

// ReplayDeadLetters writes to out what becomes of the dead letters, by reason.
func ReplayDeadLetters(ctx context.Context, c Config, r Replaying, out io.Writer) error {
	wanted := ingest.Wanted{Reason: r.Reason, After: r.After, Before: r.Before}
	if err := wanted.Validate(); err != nil {
		return fmt.Errorf("--reason: %w", err)
	}
	if len(c.KafkaBrokers) == 0 {
		return errors.New("WEIR_KAFKA_BROKERS: not set")
	}
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	store := readmodel.New(db)
	if r.Organization != "" {
		if wanted.Organization, err = findOrganization(ctx, store, r.Organization); err != nil {
			return err
		}
	}
	if r.Agent != "" {
		if wanted.Agent, err = uuid.Parse(r.Agent); err != nil {
			return fmt.Errorf("--agent: want the agent's id, a UUID: %w", err)
		}
	}
	tally, err := ingest.Replay(ctx, ingest.Config{
		Brokers: c.KafkaBrokers, Access: c.Kafka.Access(), Topic: c.KafkaTopic, DeadTopic: c.KafkaDeadTopic, Postgres: db, Registry: store,
	}, wanted, r.Send)
	sayTally(out, tally, r.Send)
	return err
}

func sayTally(out io.Writer, tally ingest.Tally, sent bool) {
	if len(tally) == 0 {
		fmt.Fprintln(out, "no such dead letters")
		return
	}
	for _, kind := range tally.Sorted() {
		fate := string(kind.Fate)
		if kind.Fate == ingest.FateSent && !sent {
			fate = "would be sent: --yes does"
		}
		fmt.Fprintf(out, "%6d %s: %s\n", tally[kind], kind.Reason, fate)
	}
}
