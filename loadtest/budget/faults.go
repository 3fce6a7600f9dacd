package budget

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/loadtest/screen"
)

type killed int

const (
	agentKilled killed = iota
	planeKilled
)

// faults are what befalls the programs and the store, and the raises of budgets.
type faults struct {
	config  Config
	world   *world
	tenant  *tenant
	purses  []*purse
	auditor *auditor
	say     *screen.Screen

	// calm keeps agents alive and budgets as they are, while it is held; planes keeps control
	// planes from being killed.
	calm   sync.RWMutex
	planes sync.Mutex

	mu     sync.Mutex
	kills  [2]int
	raises int
	faulty error
	// The copy that the store was put back to, when nobody served, when all agents had told.
	copied, restored, told time.Time
}

func newFaults(c Config, w *world, t *tenant, purses []*purse, a *auditor, say *screen.Screen) *faults {
	return &faults{config: c, world: w, tenant: t, purses: purses, auditor: a, say: say}
}

// run makes faults until it is enough, and returns when all that was killed is back.
func (f *faults) run(ctx context.Context) error {
	f.world.gate.faulty.Store(true)
	defer f.world.gate.faulty.Store(false)
	done, stop := context.WithTimeout(ctx, f.config.For)
	defer stop()
	var wait sync.WaitGroup
	loop := func(seed uint64, every time.Duration, do func(*rand.Rand) error) {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(f.config.Seed, seed)) //nolint:gosec // to be repeated
			for pause(done, time.Duration(r.Int64N(int64(2*every)))) == nil {
				if err := do(r); err != nil {
					f.fail(err)
					stop()
				}
			}
		})
	}
	loop(1, min(40*time.Second/time.Duration(f.config.Agents), f.config.For/8), func(r *rand.Rand) error { return f.killAgent(ctx, r) })
	loop(2, min(4*time.Second, f.config.For/8), func(r *rand.Rand) error { return f.killPlane(ctx, r) })
	loop(3, f.config.For/40, func(r *rand.Rand) error { f.raise(ctx, r); return nil })
	if f.config.Restore {
		wait.Go(func() {
			if pause(done, f.config.For/2) != nil {
				return
			}
			if err := f.restore(ctx); err != nil {
				f.fail(fmt.Errorf("put the store back: %w", err))
				stop()
			}
		})
	}
	wait.Wait()
	return errors.Join(f.faulty, context.Cause(ctx))
}

func (f *faults) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faulty = errors.Join(f.faulty, err)
}

// killAgent kills one and starts it again.
func (f *faults) killAgent(ctx context.Context, r *rand.Rand) error {
	f.calm.RLock()
	defer f.calm.RUnlock()
	a := f.world.agents[r.IntN(len(f.world.agents))]
	if how := a.ended(); how != "" {
		return fmt.Errorf("it ended by itself: %s", how)
	}
	a.kill()
	f.killed(agentKilled)
	if err := pause(ctx, time.Duration(r.IntN(3000))*time.Millisecond); err != nil {
		return err
	}
	return a.start(ctx)
}

func (f *faults) killPlane(ctx context.Context, r *rand.Rand) error {
	f.planes.Lock()
	defer f.planes.Unlock()
	i := r.IntN(len(f.world.planes))
	if how := f.world.planes[i].ended(); how != "" {
		return fmt.Errorf("it ended by itself: %s", how)
	}
	f.world.killPlane(i)
	f.killed(planeKilled)
	if err := pause(ctx, time.Duration(r.IntN(2000))*time.Millisecond); err != nil {
		return err
	}
	return f.world.startPlane(ctx, i)
}

func (f *faults) killed(kind killed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kills[kind]++
}

// raise gives one budget more. An error is a control plane that was killed.
func (f *faults) raise(ctx context.Context, r *rand.Rand) {
	f.calm.RLock()
	defer f.calm.RUnlock()
	if p := f.purses[r.IntN(len(f.purses))]; p.raise > 0 && f.tenant.raise(ctx, p, p.raise) == nil {
		f.mu.Lock()
		f.raises++
		f.mu.Unlock()
	}
}

// restore puts the store back to a backup that is some seconds old. In between no agent is
// killed: what a start settled after the backup and then forgot, no ledger hears of again.
func (f *faults) restore(ctx context.Context) error {
	f.calm.Lock()
	defer f.calm.Unlock()
	for _, p := range f.purses { // so that there is something to spend meanwhile
		if p.raise > 0 {
			_ = f.tenant.raise(ctx, p, p.raise)
		}
	}
	if err := f.await(ctx, "SELECT count(*) FROM quota_agent WHERE settled_boot <> boot"); err != nil {
		return fmt.Errorf("earlier starts are not settled: %w", err)
	}
	file := f.world.path("backup.zip")
	f.note(&f.copied)
	if err := f.world.operate(ctx, "backup", file); err != nil {
		return err
	}
	if err := pause(ctx, 5*time.Second); err != nil {
		return err
	}
	f.planes.Lock()
	defer f.planes.Unlock()
	f.auditor.leave(ctx)
	for i := range f.world.planes {
		f.world.killPlane(i)
	}
	f.note(&f.restored)
	for _, statement := range []string{"DROP DATABASE " + database + " WITH (FORCE)", "CREATE DATABASE " + database} {
		if err := f.world.super(ctx, statement); err != nil {
			return err
		}
	}
	if err := f.world.operate(ctx, "restore", file); err != nil {
		return err
	}
	f.auditor.away.Store(false)
	if err := f.world.startPlanes(ctx); err != nil {
		return err
	}
	if err := f.await(ctx, "SELECT "+untold); err != nil {
		return fmt.Errorf("agents have not told what they hold: %w", err)
	}
	f.note(&f.told)
	f.say.Linef("the store was put back to a backup %s old; all agents have told after %s", f.restored.Sub(f.copied).Round(time.Millisecond), f.told.Sub(f.restored).Round(time.Millisecond))
	return nil
}

func (f *faults) note(at *time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*at = time.Now()
}

// untold counts agents that were not heard in full since a restore.
const untold = `(SELECT count(*) FROM quota_agent g JOIN policy_epoch p USING (organization_id) WHERE g.settled_epoch < p.restored_epoch)`

// await returns once a query counts none.
func (f *faults) await(ctx context.Context, query string) error {
	ctx, cancel := context.WithTimeout(ctx, f.config.Rest)
	defer cancel()
	conn, err := pgx.Connect(ctx, f.world.storeURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for {
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
		var left int
		if err := conn.QueryRow(ctx, query).Scan(&left); err != nil {
			return err
		}
		if left == 0 {
			return nil
		}
	}
}

// tally is one line.
func (f *faults) tally() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	line := fmt.Sprintf("%d agents and %d control planes killed, %d raises", f.kills[agentKilled], f.kills[planeKilled], f.raises)
	for fate := lost; fate < fates; fate++ {
		line += fmt.Sprintf(", %d %s", f.world.gate.told[fate].Load(), fateNames[fate])
	}
	return line
}
