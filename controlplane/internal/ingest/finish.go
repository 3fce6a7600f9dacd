package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// finish takes a claimed span to its end. When asking, it looks for each block in
// ClickHouse before it sends it.
func (p *partition) finish(ctx context.Context, at span, j judged, blocks []block, ask bool) error {
	if err := p.broker.bury(ctx, j.dead, p.topicID, p.number); err != nil {
		return err
	}
	for _, b := range blocks {
		if err := p.put(ctx, b, ask); err != nil {
			return err
		}
	}
	if err := p.sink.settle(ctx, at, j, ask); err != nil {
		return err
	}
	if err := p.store.settle(ctx, p.owner, at, j); err != nil {
		return err
	}
	p.next, p.refused = at.last+1, 0
	p.count(ctx, j, blocks)
	return nil
}

func (p *partition) put(ctx context.Context, b block, ask bool) error {
	if ask {
		there, err := p.sink.stored(ctx, b.span, b.noted.month)
		if err != nil {
			return err
		}
		if there == len(b.rows) {
			return nil
		}
		if there != 0 {
			return fmt.Errorf("%w: %d of %d rows of offsets %d..%d, month %d, are in clickhouse",
				errStop, there, len(b.rows), b.span.first, b.span.last, b.noted.month)
		}
	}
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, p.lease)
	defer cancel()
	err := p.sink.insert(within, b)
	p.metrics.insert.Observe(time.Since(began).Seconds())
	p.learn(err)
	return err
}

// maxLease bounds how long a successor has to wait.
const maxLease = 5 * time.Minute

// learn gives a ClickHouse that is slow more time for the next block, or it would never be
// in time; and less again when it was.
func (p *partition) learn(err error) {
	switch {
	case isLate(err):
		p.lease = min(2*p.lease, max(maxLease, p.config.Lease))
	case isRefusal(err):
		p.refused++
	case err == nil:
		p.lease = max(p.lease/2, p.config.Lease)
	}
}

func (p *partition) count(ctx context.Context, j judged, blocks []block) {
	for _, b := range blocks {
		p.metrics.records.Add(float64(len(b.rows)))
	}
	p.metrics.batches.WithLabelValues("claimed").Add(float64(len(j.taken)))
	p.metrics.batches.WithLabelValues("repeat").Add(float64(j.repeats))
	p.metrics.batches.WithLabelValues("dead").Add(float64(len(j.dead)))
	for _, l := range j.dead {
		p.metrics.deadLetters.WithLabelValues(l.reason).Inc()
		level := slog.LevelWarn
		if l.reason == reasonConflict || !l.kept() {
			level = slog.LevelError
		}
		if !l.kept() {
			p.metrics.unsettled.WithLabelValues(l.reason).Inc()
		}
		p.log.Log(ctx, level, "usage batch put aside", "reason", l.reason, "offset", l.source.offset, "settled", l.kept(), "detail", l.detail)
	}
}
