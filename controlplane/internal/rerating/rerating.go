// Package rerating carries re-rates out: it reads what attempts kept, has package rerate
// price them anew, and stores the differences as corrections. It changes no usage, and
// decides no prices.
//
// A re-rate goes from one window of time to the next. Which window is next is committed
// before it is priced, and that it is done after its corrections are stored: whoever goes
// on where another one died prices the same attempts, and the store drops what it has.
package rerating

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rerate"
)

// DefaultEvery is how often it is looked for re-rates.
const DefaultEvery = 2 * time.Second

// atOnce is how many re-rates one process carries out at a time, of other organizations each.
const atOnce = 2

// bookPatience is how long a re-rate waits for a process whose build has its book: another
// one's may be of the release before.
const bookPatience = 24 * time.Hour

// ErrNoBook: this build does not have a built-in price book.
var ErrNoBook = errors.New("this build does not have it")

// Config of a Runner; Every of 0 is DefaultEvery.
type Config struct {
	DB    *postgres.DB
	Store *readmodel.Store
	// ClickHouse is the connection of who writes.
	ClickHouse *clickhouse.Conn
	Builtin    Books
	Log        *slog.Logger
	Every      time.Duration
}

// Runner carries the re-rates of every organization out, together with those of other
// processes.
type Runner struct {
	Config
	table table

	mu    sync.Mutex
	taken map[owned]bool
}

// New returns a runner that works while Run runs.
func New(c Config) *Runner {
	if c.Every == 0 {
		c.Every = DefaultEvery
	}
	return &Runner{Config: c, table: table{c.DB}, taken: map[owned]bool{}}
}

// Run works until ctx ends.
func (r *Runner) Run(ctx context.Context) {
	every := time.NewTicker(r.Every)
	defer every.Stop()
	var inHand sync.WaitGroup
	defer inHand.Wait()
	for {
		if err := r.look(ctx, &inHand); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "re-rates stand still", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// look begins or takes up what is not in this process' hands, as far as there are any free.
func (r *Runner) look(ctx context.Context, inHand *sync.WaitGroup) error {
	running, err := r.table.running(ctx)
	if err != nil {
		return err
	}
	for _, o := range running {
		if !r.take(o) {
			continue
		}
		inHand.Go(func() {
			defer r.leave(o)
			if err := r.one(ctx, o); err != nil && ctx.Err() == nil {
				r.Log.ErrorContext(ctx, "a re-rate stands still", "organization", o.organization, "rerate", o.id, "error", err)
			}
		})
	}
	return nil
}

func (r *Runner) take(o owned) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken[o] || len(r.taken) >= atOnce {
		return false
	}
	r.taken[o] = true
	return true
}

func (r *Runner) leave(o owned) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.taken, o)
}

// one carries a re-rate on until it is done, or in somebody else's hands.
func (r *Runner) one(ctx context.Context, o owned) error {
	w, err := r.begin(ctx, o)
	if errors.Is(err, ErrNoBook) && time.Since(w.begun) > bookPatience {
		_, err = r.table.hold(ctx, o, func(run *Run) error {
			run.State, run.Failure = Failed, err.Error()
			return nil
		})
		return err
	}
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		for _, step := range []func(context.Context, *Run) error{w.plan, w.carryOut} {
			held, err := r.table.hold(ctx, o, func(run *Run) error { return step(ctx, run) })
			if err != nil || !held {
				return err
			}
		}
	}
	return ctx.Err()
}

// work is one re-rate in this process' hands.
type work struct {
	*source
	conn  *clickhouse.Conn
	begun time.Time
	judge *rerate.Judge
	width widths
}

func (r *Runner) begin(ctx context.Context, o owned) (*work, error) {
	var what rerate.Rerate
	err := r.Store.Read(ctx, o.organization, func(v readmodel.View) (err error) {
		what, err = readmodel.Rerates.Find(ctx, v, o.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	from := &source{conn: r.ClickHouse, organization: o.organization, settings: what.Settings, own: o.id}
	w := &work{source: from, conn: r.ClickHouse, begun: what.CreatedAt}
	w.judge, err = newJudge(ctx, r.Store, o.organization, what.Settings, r.Builtin, nil)
	return w, err
}

// plan decides which window is next, or that there is none.
func (w *work) plan(ctx context.Context, run *Run) error {
	switch {
	case !run.planned.IsZero():
		return nil
	case !run.Reached.Before(w.settings.Until):
		run.State = Done
		return nil
	case run.Reached.Equal(w.settings.From):
		lost, err := w.lost(ctx)
		if err != nil {
			return err
		}
		run.Tally = rerate.Tally{}
		run.Tally.Total.LeaveOut(rerate.Lost, lost)
	}
	next, err := w.width.after(ctx, w.source, run.Reached)
	run.planned = next.until
	return err
}

// carryOut corrects the planned window.
func (w *work) carryOut(ctx context.Context, run *Run) error {
	if run.planned.IsZero() {
		return nil
	}
	planned := window{run.Reached, run.planned}
	b, err := w.read(ctx, planned)
	if err != nil {
		return err
	}
	found, err := corrections(ctx, w.judge, &run.Tally, b)
	if err != nil {
		return err
	}
	if err := w.store(ctx, planned, len(b.there), found); err != nil {
		return err
	}
	run.Reached, run.planned = run.planned, time.Time{}
	return nil
}
