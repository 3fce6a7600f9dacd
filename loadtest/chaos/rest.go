package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// lateDoubles is how long the books are watched after they were complete: what comes twice
// comes late. It is longer than blocks are fenced and tails are copied.
const lateDoubles = 12 * time.Second

// rest heals all, has the agents deliver and stop, and returns the books once nothing is
// under way any more. unrest is what did not come to rest in time.
func (w *world) rest(ctx context.Context, tenants []*tenant, asks []*ask, full spans) (_ *books, unrest []finding, err error) {
	if err := w.heal(ctx); err != nil {
		unrest = append(unrest, finding{"not back after the faults", err.Error()})
	}
	w.say.Linef("all faults are healed: agents deliver what they have and stop")
	began := time.Now()
	var stopping sync.WaitGroup
	for _, n := range w.agents {
		stopping.Go(n.finish)
	}
	stopping.Wait()
	w.say.Linef("agents have stopped after %s", time.Since(began).Round(100*time.Millisecond))
	reads, err := newAnalyst(w.reportURL)
	if err != nil {
		return nil, nil, err
	}
	defer reads.conn.Close()
	books, missing, err := w.await(ctx, reads, tenants, asks, full)
	if err != nil {
		return nil, nil, err
	}
	if missing != "" {
		unrest = append(unrest, finding{"not at rest in time", missing})
		return books, unrest, nil
	}
	if err := pause(ctx, lateDoubles); err != nil {
		return nil, nil, err
	}
	books, err = reads.read(ctx, tenants)
	return books, unrest, err
}

// await reads until all is there, or the time is over.
func (w *world) await(ctx context.Context, reads *analyst, tenants []*tenant, asks []*ask, full spans) (b *books, missing string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, w.config.Rest, errTooLong)
	defer cancel()
	for told := time.Now(); ; {
		b, err = reads.read(context.WithoutCancel(ctx), tenants)
		if err == nil {
			if missing = b.missing(asks, w.provider, full); missing == "" {
				return b, "", nil
			}
		}
		if time.Since(told) > 10*time.Second {
			told = time.Now()
			w.say.Linef("waiting: %s", errors.Join(err, errors.New(missing)))
		}
		if cause := pause(ctx, time.Second); cause != nil && !errors.Is(cause, errTooLong) {
			return nil, "", cause
		} else if cause != nil {
			return b, missing, err
		}
	}
}

var errTooLong = errors.New("not in time")

// missing says what is still under way.
func (b *books) missing(asks []*ask, p *provider, full spans) string {
	var parts []string
	there := map[string]bool{}
	for _, r := range b.rows {
		there[r.run] = true
	}
	var gone int
	for _, a := range asks {
		if !there[a.marker] && (a.mustBeThere() && !full.meet(a.agent, a.begun, a.ended) || p.of(a.marker).asked > 0) {
			gone++
		}
	}
	if gone > 0 {
		parts = append(parts, fmt.Sprintf("%d requests have no record", gone))
	}
	for _, o := range b.boots {
		if !o.complete || !o.closed && o.last > 0 {
			parts = append(parts, fmt.Sprintf("boot %s of agent %s (%s): %d of %d are settled, closed %t", o.boot, o.agent, o.tenant.name, o.settled, o.last, o.closed))
		}
	}
	return strings.Join(parts, "; ")
}
