// Package outage measures an agent whose broker goes away under load until much is in its
// spool, and comes back: whether requests are slower, whether anything is lost, and how fast
// the spool empties. A real agent and a real broker's protocol, on loopback; a mock of a
// provider, and as much of a control plane as an agent needs.
package outage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/loadtest/gateway/load"
)

const (
	// wanted is how many times as fast as they came records are to go.
	wanted  = 20
	timeout = 10 * time.Second
	// fillAtMost and emptyAtMost bound a run.
	fillAtMost  = 20 * time.Minute
	emptyAtMost = 10 * time.Minute
)

// Size is in bytes: "1GiB", "256MiB" or a number.
type Size int64

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	digits, unit := strings.TrimRight(string(text), "KMGiB"), int64(1)
	switch strings.TrimPrefix(string(text), digits) {
	case "KiB":
		unit = 1 << 10
	case "MiB":
		unit = 1 << 20
	case "GiB":
		unit = 1 << 30
	case "":
	default:
		return fmt.Errorf("a size is a number of KiB, MiB or GiB, not %q", text)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("a size is a number of KiB, MiB or GiB, not %q", text)
	}
	*s = Size(n * unit)
	return nil
}

func (s Size) String() string { return fmt.Sprintf("%.1f MiB", float64(s)/(1<<20)) }

// Config of a run.
type Config struct {
	Bytes       Size          `default:"1GiB" help:"Spool to fill before the broker comes back: KiB, MiB or GiB."`
	Rate        float64       `default:"200" help:"Requests per second while latency is measured, and while the spool empties."`
	For         time.Duration `default:"20s" help:"How long each measurement of latency takes."`
	Connections int           `default:"32" help:"Connections that fill the spool, and that requests wait for."`
}

// Run prints what it measures as it goes; an error where something was lost or requests failed.
func Run(ctx context.Context, c Config, out io.Writer) error {
	s, err := newStage(ctx, c)
	if err != nil {
		return err
	}
	defer s.close()
	r := &run{Config: c, stage: s, out: out}
	return r.all(ctx)
}

type run struct {
	Config
	*stage
	out io.Writer
	bad []error
}

func (r *run) say(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

func (r *run) all(ctx context.Context) error {
	up, err := r.open(ctx, r.For)
	if err != nil {
		return err
	}
	r.broker.stop()
	time.Sleep(2 * time.Second) // until the agent has noticed
	away, err := r.open(ctx, r.For)
	if err != nil {
		return err
	}
	r.latency("broker up", up)
	r.latency("broker away", away)
	if err := r.fill(ctx); err != nil {
		return err
	}
	full, err := r.open(ctx, r.For)
	if err != nil {
		return err
	}
	r.latency("away, spool full", full)
	if err := r.empty(ctx); err != nil {
		return err
	}
	return errors.Join(append(r.bad, r.complete(ctx))...)
}

// open asks at the rate, in an open loop.
func (r *run) open(ctx context.Context, length time.Duration) (*load.Sample, error) {
	return load.Open{
		Request: r.request, Connections: r.Connections, Schedule: load.Poisson(r.Rate, length, 1), Timeout: timeout,
	}.Run(ctx)
}

func (r *run) latency(when string, s *load.Sample) {
	ms := func(q float64) float64 { return float64(s.Latency(q).Microseconds()) / 1000 }
	r.say("%-18s p50 %7.2f ms   p99 %7.2f ms   %d requests at %.0f/s", when, ms(0.5), ms(0.99), s.Requests, s.Rate())
	if s.Failed > 0 {
		r.bad = append(r.bad, fmt.Errorf("%s: %d requests failed: %v", when, s.Failed, s.Errors))
	}
}

// fill asks as fast as it is answered until the spool is as large as wanted, for 20 minutes
// at most.
func (r *run) fill(ctx context.Context) error {
	began := time.Now()
	first, err := r.metrics(ctx)
	if err != nil {
		return err
	}
	for {
		s, err := load.Closed{Request: r.request, Connections: r.Connections, For: 2 * time.Second, Timeout: timeout}.Run(ctx)
		if err != nil {
			return err
		}
		now, err := r.metrics(ctx)
		if err != nil {
			return err
		}
		if s.Failed > 0 {
			r.bad = append(r.bad, fmt.Errorf("filling: %d requests failed: %v", s.Failed, s.Errors))
		}
		if Size(now.bytes) >= r.Bytes || len(r.bad) > 0 || time.Since(began) > fillAtMost {
			records := now.records - first.records
			r.say("%-18s %s, %.0f records, at %.0f/s", "filled", Size(now.bytes), now.records, records/time.Since(began).Seconds())
			return nil
		}
	}
}

// empty brings the broker back, goes on asking at the rate, and waits until all that waited
// is sent.
func (r *run) empty(ctx context.Context) error {
	before, err := r.metrics(ctx)
	if err != nil {
		return err
	}
	asking, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		_, err := r.open(asking, emptyAtMost)
		done <- err
	}()
	if err := r.broker.start(); err != nil {
		stop()
		return errors.Join(err, <-done)
	}
	began := time.Now()
	var first time.Time // when something was sent again
	for ; ; time.Sleep(50 * time.Millisecond) {
		last, err := r.metrics(ctx)
		if err != nil || time.Since(began) > emptyAtMost {
			stop()
			return errors.Join(err, fmt.Errorf("not emptied within %s", time.Since(began)), <-done)
		}
		if first.IsZero() && last.sent > before.sent {
			first = time.Now()
		}
		if last.sent-before.sent >= before.records-before.sent {
			r.caughtUp(last.sent-before.sent, time.Since(first), first.Sub(began))
			break
		}
	}
	stop()
	<-done //nolint:errcheck // cut off
	return nil
}

func (r *run) caughtUp(records float64, took, noticed time.Duration) {
	rate := records / took.Seconds()
	ratio := rate / r.Rate
	r.say("%-18s %.0f records in %.1f s, %.0f/s: %.1f × the %.0f/s that came meanwhile (noticed after %.1f s)",
		"caught up", records, took.Seconds(), rate, ratio, r.Rate, noticed.Seconds())
	if ratio < wanted {
		r.bad = append(r.bad, fmt.Errorf("caught up at %.1f times the rate of arrival, want %d", ratio, wanted))
	}
}

// complete holds what the broker has against what the mock was asked: each request is one
// record, and their numbers are dense.
func (r *run) complete(ctx context.Context) error {
	served := r.mock.Served()
	var records, next int64
	for deadline := time.Now().Add(time.Minute); records < served; {
		headers, err := r.broker.headers(ctx)
		if err != nil {
			return err
		}
		records, next = 0, 1
		for _, h := range headers {
			if h.GetFirstSeq() > next {
				return fmt.Errorf("records %d..%d are not at the broker", next, h.GetFirstSeq()-1)
			}
			if h.GetLastSeq() >= next {
				records, next = records+h.GetLastSeq()-next+1, h.GetLastSeq()+1
			}
		}
		if time.Now().After(deadline) {
			break
		}
	}
	if records != served {
		return fmt.Errorf("%d records are at the broker, %d requests were served", records, served)
	}
	r.say("%-18s %d requests served, %d records at the broker, numbered densely", "nothing lost", served, records)
	return nil
}
