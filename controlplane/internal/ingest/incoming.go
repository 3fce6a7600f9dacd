package ingest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var (
	errUnknownAgent = errors.New("unknown agent")
	errBadRecord    = errors.New("invalid usage record")
)

// outageError is about what is down, not about the batch.
type outageError struct{ error }

func (e outageError) Unwrap() error { return e.error }

// incoming is a batch that its agent signed and whose records are sound.
type incoming struct {
	boot   boot
	first  int64
	last   int64
	sha256 [32]byte
	source record
	rows   []row
}

// boot is one start of an agent, with whose it is from the registry.
type boot struct {
	bootID
	organization, gateway uuid.UUID
	publicKey             []byte
}

type bootID struct {
	agent uuid.UUID
	boot  string
}

// opened is what a slice of a partition holds.
type opened struct {
	batches []incoming
	dead    []deadLetter
}

// open verifies each record. It fails only when the registry is down.
func (in *Ingest) open(ctx context.Context, records []record) (opened, error) {
	find := func(id uuid.UUID) (boot, error) {
		a, err := in.agents.agent(ctx, id)
		return bootOf(a), err
	}
	var out opened
	for _, r := range records {
		b, err := openBatch(r, find)
		if err == nil {
			err = checkClock(b.rows, time.Now())
		}
		if outage := (outageError{}); errors.As(err, &outage) {
			return opened{}, err
		}
		if err != nil {
			out.dead = append(out.dead, newDeadLetter(r, reasonOf(err), err))
			continue
		}
		out.batches = append(out.batches, b)
	}
	return out, nil
}

func bootOf(a gateway.Agent) boot {
	return boot{bootID: bootID{agent: a.ID}, organization: a.OrganizationID, gateway: a.GatewayID, publicKey: a.PublicKey}
}

func openBatch(r record, find func(agent uuid.UUID) (boot, error)) (incoming, error) {
	var from boot
	header, records, err := batch.Open(r.value, func(h *usagev1.BatchHeader) (ed25519.PublicKey, error) {
		id, err := uuid.Parse(h.GetAgentId())
		if err != nil {
			return nil, fmt.Errorf("%w: agent id", batch.ErrMalformed)
		}
		if from, err = find(id); err != nil {
			return nil, err
		}
		return from.publicKey, nil
	})
	if err != nil {
		return incoming{}, err
	}
	from.boot = header.GetBoot()
	out := incoming{
		boot: from, first: header.GetFirstSeq(), last: header.GetLastSeq(),
		sha256: [32]byte(header.GetPayloadSha256()), source: r, rows: make([]row, len(records)),
	}
	for i, u := range records {
		if out.rows[i], err = fromProtoRecord(u); err != nil {
			return incoming{}, fmt.Errorf("%w: seq %d: %w", errBadRecord, u.GetSeq(), err)
		}
	}
	return out, nil
}

// Months far from now would make a part for each.
const (
	oldestStart = 400 * 24 * time.Hour
	newestStart = 24 * time.Hour
)

func checkClock(rows []row, now time.Time) error {
	for _, r := range rows {
		if r.startedAt.Before(now.Add(-oldestStart)) || r.startedAt.After(now.Add(newestStart)) {
			return fmt.Errorf("%w: started at %s", errClock, r.startedAt.Format(time.RFC3339))
		}
	}
	return nil
}

var errClock = errors.New("the agent's clock is wrong")
