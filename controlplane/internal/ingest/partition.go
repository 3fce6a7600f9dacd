package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
)

const maxSliceRecords = 2_000

// errStop means that going on could double or lose records: an operator decides.
var errStop = errors.New("partition stopped")

// partition is worked through by one goroutine: own, finish what was noted, then
// slice by slice. Any error starts it again from the beginning.
type partition struct {
	*Ingest
	topicID uuid.UUID
	number  int
	log     *slog.Logger

	next int64
	// Rows up to this offset may be in ClickHouse without a note of them, after
	// Postgres was restored from a backup.
	ahead int64
	// How often ClickHouse refused the present slice.
	refused int
	// How long it is given for a block: longer after one that came too late.
	lease time.Duration
}

func (in *Ingest) newPartition(topicID uuid.UUID, number int) *partition {
	return &partition{Ingest: in, topicID: topicID, number: number, log: in.config.Log.With("partition", number), lease: in.config.Lease}
}

func (p *partition) run(ctx context.Context) {
	defer p.release()
	var wait backoff
	for ctx.Err() == nil {
		err := p.work(ctx, &wait)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errStop):
			p.share.drop(p.number) // it would count as held for ever, and no other be given up
			p.metrics.stopped.WithLabelValues(label(p.number)).Set(1)
			p.log.ErrorContext(ctx, "usage of this partition waits for an operator", "error", err)
			return
		case errors.Is(err, errNotOwner):
			p.share.drop(p.number)
			p.metrics.lags.forget(p.number)
			pause(ctx, p.config.OwnFor/4)
		default:
			part := partOf(err)
			p.metrics.lags.note(p.number, func(l *lag) { l.waits = part })
			p.metrics.errors.WithLabelValues(part).Inc()
			p.log.WarnContext(ctx, "ingest tries again", "part", part, "error", err)
			wait.sleep(ctx)
		}
	}
}

func (p *partition) release() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := p.store.release(ctx, p.owner, p.topicID, p.number); err != nil {
		p.log.WarnContext(ctx, "partition is not released, its lease runs out", "error", err)
	}
}

// work never returns nil.
func (p *partition) work(ctx context.Context, wait *backoff) error {
	if err := p.take(ctx); err != nil {
		return err
	}
	for {
		err := p.resume(ctx)
		if err == nil {
			break
		}
		if !errors.Is(err, errSifted) {
			return err
		}
	}
	for {
		if p.share.surplus(p.number) {
			p.log.InfoContext(ctx, "partition is left to another process", "next_offset", p.next)
			return errors.Join(errNotOwner, p.store.release(ctx, p.owner, p.topicID, p.number))
		}
		if err := p.step(ctx); err != nil {
			return err
		}
		wait.reset()
	}
}

func (p *partition) take(ctx context.Context) error {
	first, watermark, err := p.broker.bounds(ctx, p.number)
	if err != nil {
		return err
	}
	beyond := !p.share.has(p.number) && !p.share.room()
	if p.next, err = p.store.own(ctx, p.owner, p.topicID, p.number, first, beyond); err != nil {
		return err
	}
	least := time.Duration(0)
	if beyond { // it is not given up before others had the time to become able
		least = 10 * p.config.OwnFor
	}
	p.share.hold(p.number, least)
	if p.next > watermark {
		return fmt.Errorf("%w: settled up to offset %d, kafka ends at %d: was it restored?", errStop, p.next, watermark)
	}
	p.metrics.stopped.WithLabelValues(label(p.number)).Set(0)
	if err := p.behind(ctx, watermark); err != nil {
		return err
	}
	p.ahead, err = p.sink.furthest(ctx, p.span(p.next, watermark))
	return err
}

// behind notes how far the partition is behind before anything of it is taken: that may
// have to wait.
func (p *partition) behind(ctx context.Context, watermark int64) error {
	var oldest time.Time
	if p.next < watermark {
		got, err := p.broker.fetchUpTo(ctx, p.number, p.next, fetchWait, 1)
		if err != nil && !errors.Is(err, kafka.OffsetOutOfRange) {
			return err
		}
		if len(got.records) > 0 {
			oldest = got.records[0].at
		}
	}
	p.metrics.lags.note(p.number, func(l *lag) { l.offsets, l.oldest = watermark-p.next, oldest })
	return nil
}

func (p *partition) span(first, last int64) span {
	return span{topicID: p.topicID, partition: p.number, first: first, last: last}
}

// step takes one slice of new records to ClickHouse.
func (p *partition) step(ctx context.Context) error {
	records, err := p.gather(ctx)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return p.store.renew(ctx, p.owner, p.topicID, p.number)
	}
	leave, err := p.admit(ctx, records)
	if err != nil {
		return err
	}
	defer leave()
	opened, err := p.open(ctx, records)
	if err != nil {
		return err
	}
	if p.next > p.ahead { // else its rows may be there, and were taken before
		if err := p.markRevoked(ctx, opened.batches); err != nil {
			return err
		}
	}
	if records, opened = p.cut(records, opened); len(records) == 0 {
		return fmt.Errorf("%w: offset %d alone is beyond a block", errStop, p.next)
	}
	at := p.span(p.next, records[len(records)-1].offset)
	now, err := p.sink.now(ctx)
	if err != nil {
		return err
	}
	judged, blocks, err := p.store.claim(ctx, p.owner, slice{
		at: at, batches: opened.batches, judgedAt: opened.now, leaseUntil: p.leaseFrom(now),
	})
	if err != nil {
		return err
	}
	judged.dead = append(judged.dead, opened.dead...)
	return p.finish(ctx, at, judged, blocks, at.first <= p.ahead)
}

// leaseFrom is in whole seconds: ClickHouse compares with the second it is in.
func (p *partition) leaseFrom(now time.Time) time.Time {
	return now.Add(p.lease).Truncate(time.Second)
}

// gather reads records from p.next on: what comes within a moment after the first.
func (p *partition) gather(ctx context.Context) ([]record, error) {
	var out []record
	var until time.Time
	for size, next := 0, p.next; ; {
		wait := fetchWait
		if len(out) > 0 {
			if wait = time.Until(until); wait <= 0 {
				return out, nil
			}
		}
		got, err := p.broker.fetch(ctx, p.number, next, wait)
		if err != nil {
			return nil, p.explain(ctx, err)
		}
		p.metrics.lags.note(p.number, func(l *lag) { *l = lag{offsets: got.watermark - p.next, oldest: oldestOf(out, got.records)} })
		if len(out) == 0 {
			until = time.Now().Add(p.config.Gather)
			if len(got.records) == 0 {
				return nil, nil
			}
		}
		for _, r := range got.records {
			out, next = append(out, r), r.offset+1
			if size += len(r.value); size > maxSliceBytes || len(out) == maxSliceRecords || next <= p.ahead+1 {
				return out, nil
			}
		}
	}
}

// oldestOf is when the first of these records was written, if there is one.
func oldestOf(of ...[]record) time.Time {
	for _, records := range of {
		if len(records) > 0 {
			return records[0].at
		}
	}
	return time.Time{}
}

// explain says what an offset that Kafka does not have means.
func (p *partition) explain(ctx context.Context, err error) error {
	if !errors.Is(err, kafka.OffsetOutOfRange) {
		return err
	}
	first, watermark, boundsErr := p.broker.bounds(ctx, p.number)
	if boundsErr != nil || p.next >= first {
		return errors.Join(err, boundsErr)
	}
	p.metrics.lost.Add(float64(first - p.next))
	p.log.ErrorContext(ctx, "kafka deleted records before they were read", "from_offset", p.next, "to_offset", first-1, "watermark", watermark)
	if err := p.store.settle(ctx, p.owner, p.span(p.next, first-1), judged{}); err != nil {
		return err
	}
	p.next = first
	return fmt.Errorf("go on at offset %d", first)
}

// cut shortens a slice to what one block may hold.
func (p *partition) cut(records []record, slice opened) ([]record, opened) {
	rows := 0
	for i, b := range slice.batches {
		if rows += len(b.rows); rows <= maxBlockRows {
			continue
		}
		end := b.source.offset
		slice.batches = slice.batches[:i]
		records = before(records, end, func(r record) int64 { return r.offset })
		slice.dead = before(slice.dead, end, func(l deadLetter) int64 { return l.source.offset })
		return records, slice
	}
	return records, slice
}

func before[T any](all []T, end int64, offset func(T) int64) []T {
	for i, one := range all {
		if offset(one) >= end {
			return all[:i]
		}
	}
	return all
}
