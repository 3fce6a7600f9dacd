package ingest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirhq/weir/loadtest/proc"
)

// spent is processor time.
type spent struct{ own, clickhouse, wall time.Duration }

// throughput takes turns: ingest takes what lies in Kafka, then the driver inserts the same
// rows.
func (s *stage) throughput(ctx context.Context, c Config, r *report) error {
	senders, err := s.senders(ctx, partitions)
	if err != nil {
		return err
	}
	raw, err := s.newRaw(ctx)
	if err != nil {
		return err
	}
	var ingest, driver []spent
	for i := range c.Rounds + 1 {
		of, err := s.turn(ctx, c, senders)
		if err != nil {
			return err
		}
		if err := raw.load(ctx, c.Rows); err != nil {
			return err
		}
		by, err := raw.turn(ctx)
		if err != nil {
			return err
		}
		if i > 0 { // the first one makes connections, and learns the agents' keys
			ingest, driver = append(ingest, of), append(driver, by)
		}
	}
	perRow := func(all []spent, of func(spent) time.Duration) float64 {
		return median(all, func(s spent) float64 { return float64(of(s).Nanoseconds()) / 1000 / float64(c.Rows) })
	}
	own := func(s spent) time.Duration { return s.own }
	clickhouse := func(s spent) time.Duration { return s.clickhouse }
	wall := func(s spent) time.Duration { return s.wall }
	r.add("ingest: records per second of its own processor", 1e6/perRow(ingest, own), "/s", c.PerCore)
	r.add("ingest: processor per record", perRow(ingest, own), "µs", 0)
	r.add("ingest: wall clock per record", perRow(ingest, wall), "µs", 0)
	r.add("the driver's insert row by row: processor per record", perRow(driver, own), "µs", 0)
	ratios := make([]float64, len(ingest))
	for i := range ingest {
		ratios[i] = float64(ingest[i].own) / float64(driver[i].own)
	}
	r.add("ingest, of the driver's insert: processor", median(ratios, func(f float64) float64 { return f }), "", 0)
	memory, err := mostMemory(s.ingest.PID())
	if err != nil {
		return err
	}
	r.add("ingest: most memory", memory, "MiB", 0)
	r.add("ClickHouse under ingest: processor per record, merges included", perRow(ingest, clickhouse), "µs", 0)
	r.add("ClickHouse under the driver: processor per record, merges included", perRow(driver, clickhouse), "µs", 0)
	return nil
}

// turn lets ingest sleep until all lies in Kafka, and waits until it is settled.
func (s *stage) turn(ctx context.Context, c Config, senders []*sender) (of spent, err error) {
	before, err := s.settled(ctx)
	if err != nil {
		return of, err
	}
	pid := s.ingest.PID()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return of, err
	}
	err = send(ctx, s.kafka, senders, c.Rows, !c.Plain)
	if wakes := syscall.Kill(pid, syscall.SIGCONT); err == nil {
		err = wakes
	}
	if err != nil {
		return of, err
	}
	began, err := s.spentBy(ctx, pid)
	if err != nil {
		return of, err
	}
	for wanted := before + uint64(c.Rows); ; {
		done, err := s.settled(ctx)
		if err != nil {
			return of, err
		}
		if done >= wanted {
			break
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return of, fmt.Errorf("%d of %d records are settled: %w", done-before, c.Rows, err)
		}
	}
	ended, err := s.spentBy(ctx, pid)
	return spent{ended.own - began.own, ended.clickhouse - began.clickhouse, ended.wall - began.wall}, err
}

// settled counts all records so far.
func (s *stage) settled(ctx context.Context) (n uint64, err error) {
	err = s.rows.QueryRow(ctx, "SELECT toUInt64(sum(last_seq - first_seq + 1)) FROM usage_range").Scan(&n)
	return n, err
}

func (s *stage) spentBy(ctx context.Context, pid int) (of spent, err error) {
	var us uint64
	err = s.rows.QueryRow(ctx, "SELECT sum(value) FROM system.events WHERE event IN ('UserTimeMicroseconds', 'SystemTimeMicroseconds')").Scan(&us)
	if err != nil {
		return of, err
	}
	own, err := proc.Time(pid)
	return spent{own, time.Duration(us) * time.Microsecond, time.Duration(time.Now().UnixNano())}, err
}

// mostMemory of a process so far, MiB.
func mostMemory(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if kib, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(kib), " kB"), 64)
			return n / 1024, err
		}
	}
	return 0, fmt.Errorf("process %d: no VmHWM in its status", pid)
}

func median[T any](all []T, value func(T) float64) float64 {
	var values []float64
	for _, one := range all {
		values = append(values, value(one))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// oneProcessor is what ingest has, too.
func oneProcessor() (back func()) {
	was := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(was) }
}
