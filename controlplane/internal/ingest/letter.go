package ingest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// letter is a dead letter as the topic has it.
type letter struct {
	source    record
	reason    string
	partition int // of the usage topic, where it came from
	putAside  time.Time
	stripped  bool
	batch     *incoming // nil: its agent can't be verified
	fate      Fate
}

// read fails only when the registry is down.
func (r *replay) read(ctx context.Context, source record) (letter, error) {
	l := letter{source: source, putAside: source.at, stripped: len(source.value) == 0}
	for _, h := range source.headers {
		switch h.Key {
		case "weir-reason":
			l.reason = string(h.Value)
		case "weir-partition":
			l.partition, _ = strconv.Atoi(string(h.Value)) // ours; 0 is a partition, too
		}
	}
	if l.stripped {
		return l, nil
	}
	b, err := openBatch(source, r.now, func(id uuid.UUID) (boot, error) {
		a, err := r.agents.agent(ctx, id)
		from := bootOf(a)
		from.revoked = a.Revoked()
		return from, err
	})
	if outage := (outageError{}); errors.As(err, &outage) {
		return letter{}, err
	}
	if err == nil {
		l.batch = &b
	}
	return l, nil
}

func (l letter) wantedBy(w Wanted) bool {
	if w.Organization != uuid.Nil && (l.batch == nil || l.batch.boot.organization != w.Organization) {
		return false
	}
	if w.Agent != uuid.Nil && (l.batch == nil || l.batch.boot.agent != w.Agent) {
		return false
	}
	return (w.Reason == "" || l.reason == w.Reason) &&
		(w.After.IsZero() || !l.putAside.Before(w.After)) && (w.Before.IsZero() || l.putAside.Before(w.Before))
}

// known is what is claimed around letters that can be verified.
func (s store) known(ctx context.Context, letters []letter) (out known, err error) {
	var batches []incoming
	for _, l := range letters {
		if l.batch != nil {
			batches = append(batches, *l.batch)
		}
	}
	err = s.db.System(ctx, func(tx pgx.Tx) (err error) {
		out, err = knownAround(ctx, tx, bootsOf(batches), batches)
		return err
	})
	return out, inPostgres(err, "look what is claimed of %d dead letters", len(batches))
}

// accept notes that an operator takes revoked agents' word for these.
func (s store) accept(ctx context.Context, letters []letter) error {
	var todo pgx.Batch
	for _, l := range letters {
		if l.reason == reasonRevoked {
			todo.Queue(`INSERT INTO ingest_accepted (organization_id, agent_id, boot, payload_sha256) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
				l.batch.boot.organization, l.batch.boot.agent, l.batch.boot.boot, l.batch.sha256[:])
		}
	}
	if todo.Len() == 0 {
		return nil
	}
	err := s.db.System(ctx, func(tx pgx.Tx) error { return tx.SendBatch(ctx, &todo).Close() })
	return inPostgres(err, "accept %d batches of revoked agents", todo.Len())
}

// acceptedOf are the contents that an operator accepted of these boots.
func acceptedOf(ctx context.Context, tx pgx.Tx, boots []boot) (map[content]bool, error) {
	agents, names := columnsOf(boots)
	rows, err := tx.Query(ctx, `
		SELECT a.agent_id, a.boot, a.payload_sha256 FROM unnest($1::uuid[], $2::text[]) AS i (agent_id, boot)
		JOIN ingest_accepted AS a USING (agent_id, boot)`, agents, names)
	if err != nil {
		return nil, fmt.Errorf("read what operators accepted: %w", err)
	}
	out := map[content]bool{}
	var c content
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&c.boot.agent, &c.boot.boot, &hash}, func() error {
		c.sha256 = [32]byte(hash)
		out[c] = true
		return nil
	})
	return out, err
}
