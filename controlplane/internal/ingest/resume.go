package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/proto/contract/batch"
)

// errSifted: there are other blocks now, which are to be resumed.
var errSifted = errors.New("blocks were noted anew")

// resume finishes the slice that was noted and not settled: by this process
// before an error, or by one that is gone.
func (p *partition) resume(ctx context.Context) error {
	at, blocks, err := p.store.undone(ctx, p.topicID, p.number)
	if err != nil || len(blocks) == 0 {
		return err
	}
	p.log.InfoContext(ctx, "noted blocks are looked for", "first_offset", at.first, "last_offset", at.last, "blocks", len(blocks))
	now, err := p.waitOut(ctx, blocks)
	if err != nil {
		return err
	}
	records, err := p.reread(ctx, at)
	if err != nil {
		return err
	}
	leave, err := p.admit(ctx, records)
	if err != nil {
		return err
	}
	defer leave()
	opened, err := p.reopen(ctx, records, blocks[0].judgedAt)
	if err != nil {
		return err
	}
	leaseUntil := p.leaseFrom(now)
	if err := p.store.prolong(ctx, p.owner, at, leaseUntil); err != nil {
		return err
	}
	refused := refusedOf(blocks)
	judged, rebuilt, err := p.store.claim(ctx, p.owner, slice{
		at: at, batches: opened.batches, leaseUntil: leaseUntil, refused: refused, replay: true,
	})
	if err != nil {
		return err
	}
	if err := sameBlocks(blocks, rebuilt); err != nil {
		return err
	}
	if p.refused >= refusedBefore {
		found, err := p.sift(ctx, rebuilt, refused)
		if err != nil {
			return err
		}
		if found {
			p.refused = 0
			return errSifted
		}
	}
	judged.dead = append(judged.dead, opened.dead...)
	return p.finish(ctx, at, judged, rebuilt, true)
}

func refusedOf(blocks []noted) refusals {
	out := refusals{}
	for _, b := range blocks {
		out[b.month] = b.refused
	}
	return out
}

// waitOut waits until no insert that was sent before can succeed any more, and
// returns ClickHouse's time then.
func (p *partition) waitOut(ctx context.Context, blocks []noted) (time.Time, error) {
	for {
		now, err := p.sink.now(ctx)
		if err != nil {
			return time.Time{}, err
		}
		left := time.Duration(0)
		for _, b := range blocks {
			left = max(left, b.leaseUntil.Sub(now))
		}
		if left <= 0 {
			return now, nil
		}
		p.metrics.lags.note(p.number, func(l *lag) { l.waits = partLease })
		pause(ctx, min(left, p.config.OwnFor/3))
		if err := p.store.renew(ctx, p.owner, p.topicID, p.number); err != nil {
			return time.Time{}, err
		}
	}
}

func (p *partition) reread(ctx context.Context, at span) ([]record, error) {
	var out []record
	for next := at.first; next <= at.last; {
		got, err := p.broker.fetch(ctx, p.number, next, fetchWait)
		if errors.Is(err, kafka.OffsetOutOfRange) {
			return nil, fmt.Errorf("%w: kafka deleted offset %d of a noted block: %w", errStop, next, err)
		}
		if err != nil {
			return nil, err
		}
		for _, r := range got.records {
			if r.offset <= at.last {
				out = append(out, r)
			}
			next = r.offset + 1
		}
		if err := p.store.renew(ctx, p.owner, p.topicID, p.number); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// reopen verifies with what the boots were claimed with. A batch of a boot without
// claims was put aside then, and is again.
func (p *partition) reopen(ctx context.Context, records []record, now time.Time) (opened, error) {
	known, err := p.store.boots(ctx, agentsIn(records))
	if err != nil {
		return opened{}, err
	}
	out, err := openAll(records, now, func(agent uuid.UUID) (boot, error) {
		for _, k := range known {
			if k.agent == agent {
				return k, nil
			}
		}
		return boot{}, errUnknownAgent
	})
	if err != nil {
		return opened{}, err
	}
	if err := p.markRevoked(ctx, out.batches); err != nil { // no block depends on it, only why letters are put aside
		p.log.WarnContext(ctx, "a replay goes on without the registry", "error", err)
	}
	return out, nil
}

func agentsIn(records []record) []uuid.UUID {
	var out []uuid.UUID
	for _, r := range records {
		if header, err := batch.Header(r.value); err == nil {
			if id, err := uuid.Parse(header.GetAgentId()); err == nil {
				out = append(out, id)
			}
		}
	}
	return out
}

// sameBlocks makes sure that what would be sent is what was noted. Of a block whose
// rows were all refused nothing is left to send.
func sameBlocks(was []noted, now []block) error {
	was = slices.DeleteFunc(slices.Clone(was), func(n noted) bool { return n.rows == 0 })
	same := len(was) == len(now)
	for i := 0; same && i < len(was); i++ {
		same = was[i].month == now[i].noted.month && was[i].rows == now[i].noted.rows && was[i].token == now[i].noted.token
	}
	if !same {
		return fmt.Errorf("%w: the noted blocks can't be made again, by this version or from these records", errStop)
	}
	return nil
}
