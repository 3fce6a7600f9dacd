package ingest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var (
	errUnknownAgent = errors.New("unknown agent")
	errRevoked      = errors.New("the agent was revoked")
	errBadRecord    = errors.New("invalid usage record")
)

// outageError is about what is down, not about the batch.
type outageError struct{ error }

func (e outageError) Unwrap() error { return e.error }

// incoming is a batch that its agent signed: whose it is and which numbers it has
// can be relied on.
type incoming struct {
	boot   boot
	first  int64
	last   int64
	sha256 [32]byte
	source record
	rows   []row
	bad    []badRecord
	// unreadable: the agent signed a payload that has no records; nil: it has.
	unreadable error
	// revived: what is left of a batch whose other records are rows already.
	revived bool
}

// badRecord is one record of a sound batch that can't become a row.
type badRecord struct {
	seq int64
	err error
}

// boot is one start of an agent, with whose it is from the registry.
type boot struct {
	bootID
	organization, gateway uuid.UUID
	publicKey             []byte
	// revoked: anybody may have its key by now; only what was claimed before stands.
	revoked bool
}

type bootID struct {
	agent uuid.UUID
	boot  string
}

// opened is what a slice of a partition holds.
type opened struct {
	batches []incoming
	dead    []deadLetter // of nobody, as far as can be known
	now     time.Time    // records are judged by it
}

// open verifies each record. It fails only when the registry is down.
func (in *Ingest) open(ctx context.Context, records []record) (opened, error) {
	// Stored as microseconds, to judge alike on a retry.
	return openAll(records, in.now().Truncate(time.Microsecond), func(id uuid.UUID) (boot, error) {
		a, err := in.agents.agent(ctx, id)
		return bootOf(a), err
	})
}

// markRevoked asks once for a whole slice, since what is remembered of an agent may be
// from before its revocation.
func (in *Ingest) markRevoked(ctx context.Context, batches []incoming) error {
	of := map[uuid.UUID]bool{}
	for _, b := range batches {
		of[b.boot.agent] = false
	}
	revoked, err := in.agents.registry.RevokedAmong(ctx, slices.Collect(maps.Keys(of)))
	if err != nil {
		return outageError{fmt.Errorf("ask which agents were revoked: %w", err)}
	}
	for _, a := range revoked {
		of[a.ID] = true
	}
	for i, b := range batches {
		batches[i].boot.revoked = of[b.boot.agent]
	}
	return nil
}

func openAll(records []record, now time.Time, find func(agent uuid.UUID) (boot, error)) (opened, error) {
	out := opened{now: now}
	for _, r := range records {
		b, err := openBatch(r, now, find)
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

// openBatch fails where nobody can say whose the record is.
func openBatch(r record, now time.Time, find func(agent uuid.UUID) (boot, error)) (incoming, error) {
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
	if header == nil {
		return incoming{}, err
	}
	from.boot = header.GetBoot()
	out := incoming{
		boot: from, first: header.GetFirstSeq(), last: header.GetLastSeq(),
		sha256: [32]byte(header.GetPayloadSha256()), source: r, unreadable: err,
	}
	out.rows = make([]row, 0, len(records))
	for _, u := range records {
		one, err := rowOf(u, now)
		if err != nil {
			out.bad = append(out.bad, badRecord{u.GetSeq(), err})
			continue
		}
		out.rows = append(out.rows, one)
	}
	return out, nil
}

func rowOf(u *usagev1.UsageRecord, now time.Time) (row, error) {
	r, err := fromProtoRecord(u)
	if err != nil {
		return row{}, fmt.Errorf("%w: %w", errBadRecord, err)
	}
	return r, checkClock(r, now)
}

// Months far from now would make a part for each.
const (
	oldestStart = 400 * 24 * time.Hour
	newestStart = 24 * time.Hour
)

func checkClock(r row, now time.Time) error {
	if r.startedAt.Before(now.Add(-oldestStart)) || r.startedAt.After(now.Add(newestStart)) {
		return fmt.Errorf("%w: started at %s", errClock, r.startedAt.Format(time.RFC3339))
	}
	return nil
}

var errClock = errors.New("the agent's clock is wrong")

func (b incoming) span() seqRange { return seqRange{b.first, b.last} }

// stored are the numbers of its rows.
func (b incoming) stored() seqs {
	out := make([]int64, len(b.rows))
	for i, r := range b.rows {
		out[i] = r.seq
	}
	return numbers(out)
}

// only keeps the records of a set.
func (b incoming) only(wanted seqs) incoming {
	rows, bad := b.rows, b.bad
	b.rows, b.bad = nil, nil
	for _, r := range rows {
		if wanted.holds(r.seq) {
			b.rows = append(b.rows, r)
		}
	}
	for _, r := range bad {
		if wanted.holds(r.seq) {
			b.bad = append(b.bad, r)
		}
	}
	return b
}
