// Package budget runs real agents and control planes whose callers want more than their
// hard budgets have, kills both, loses, doubles and delays what they say to each other, and
// puts the store back to a backup. Meanwhile and afterwards it holds three books against
// each other: the ledger's, the rows in ClickHouse, and what the providers charged.
//
// It must not know how Weir keeps a budget: limits, prices and charges it counts by itself.
package budget

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/weirhq/weir/loadtest/screen"
)

// Config of a run.
type Config struct {
	Seed    uint64        `help:"What the order of faults and requests follows from; 0: another one each time. What runs beside each other is the machine's."`
	For     time.Duration `default:"2m" help:"How long faults go on."`
	Agents  int           `default:"20" help:"Agents, all of one organization."`
	Callers int           `default:"200" help:"Callers of each agent, each with one request at once."`
	Pause   time.Duration `default:"4s" help:"What a caller waits after an answer, on average; twice that after a refusal."`
	Answer  time.Duration `default:"4s" help:"How long the provider takes to begin an answer, on average."`
	Wait    time.Duration `default:"1s" help:"How long a request waits for the ledger at most: twenty agents and all else on one machine make its calls slower than a fleet's."`
	Restore bool          `default:"true" negatable:"" help:"Put the store back to a backup, halfway."`
	Useful  int64         `default:"100" help:"Requests that the last percent of a budget would pay for, at the end; 0: none are made."`
	Rest    time.Duration `default:"3m" help:"How long everything may take to come to rest."`
	Dir     string        `type:"path" help:"Where everything is kept; empty: a temporary folder, which goes if all is well."`
	Keep    bool          `help:"Keep the folder, whatever comes out."`
}

// ErrBroken says that a budget did not hold, or that the books differ.
var ErrBroken = errors.New("a budget is not what it must be")

// Run builds Weir, starts all of it and returns when it is stopped again: nil only if every
// check held. What it finds is written to out.
func Run(ctx context.Context, c Config, out io.Writer) (err error) {
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1 << 32)
	}
	dir, made, err := c.folder()
	if err != nil {
		return err
	}
	say := screen.New(out)
	say.Linef("seed %d: %d agents with %d callers each; everything is in %s", c.Seed, c.Agents, c.Callers, dir)
	defer func() {
		if made && err == nil && !c.Keep {
			err = os.RemoveAll(dir)
			return
		}
		say.Linef("logs and data are kept in %s", dir)
	}()
	r := &run{config: c, dir: dir, say: say, findings: newFindings()}
	if err := r.do(ctx); err != nil {
		return err
	}
	return r.verdict()
}

// folder is made, where none is given.
func (c Config) folder() (dir string, made bool, err error) {
	if c.Dir != "" {
		dir, err := filepath.Abs(c.Dir)
		return dir, false, errors.Join(err, os.MkdirAll(dir, 0o755))
	}
	dir, err = os.MkdirTemp("", "weir-budget-")
	return dir, true, err
}

// run is one run, from nothing to the verdict.
type run struct {
	config   Config
	dir      string
	say      *screen.Screen
	findings *findings

	world   *world
	tenant  *tenant
	purses  []*purse
	truth   *truth
	callers *callers
	auditor *auditor
	meters  *meters
	faults  *faults

	usefulness usefulness
	books      *books
	balances   []balance
}

func (r *run) do(ctx context.Context) (err error) {
	r.truth = newTruth()
	if r.world, err = newWorld(ctx, r.config, r.dir, r.say, r.truth); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.world.close()) }()
	if err := r.settle(ctx); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	r.callers = newCallers(r.config, r.world, r.tenant)
	r.auditor = newAuditor(r.world, r.tenant.id, r.purses, r.truth, r.findings)
	r.meters = newMeters(r.world)
	stopAudit := r.auditor.start(ctx)
	defer stopAudit()
	stopMeters := r.meters.start(ctx)
	defer stopMeters()
	stopCalling := r.callers.start(ctx)
	defer stopCalling()

	r.faults = newFaults(r.config, r.world, r.tenant, r.purses, r.auditor, r.say)
	stopTelling := r.say.Every(10*time.Second, func() string { return r.callers.tally() + "; " + r.faults.tally() })
	err = r.faults.run(ctx)
	stopTelling()
	stopCalling()
	if err != nil {
		return err
	}
	r.say.Linef("faults are over: %s; %s", r.callers.tally(), r.faults.tally())
	if err := r.useful(ctx); err != nil {
		return fmt.Errorf("the last percent: %w", err)
	}
	stopMeters()
	if err := r.stop(ctx); err != nil {
		return err
	}
	return r.compare(ctx)
}

// stop has agents end in order, once those that were killed have settled what they were
// before.
func (r *run) stop(ctx context.Context) error {
	if err := r.faults.await(ctx, "SELECT count(*) FROM quota_agent WHERE settled_boot <> boot"); err != nil {
		return fmt.Errorf("earlier starts are not settled: %w", err)
	}
	return r.world.stopAgents(r.say)
}

// settle founds the organization, and returns once its agents serve.
func (r *run) settle(ctx context.Context) (err error) {
	if r.tenant, err = found(ctx, r.world); err != nil {
		return err
	}
	if err := r.tenant.configure(ctx, r.world.mockURL); err != nil {
		return err
	}
	if r.purses, err = r.tenant.budgets(ctx, r.config.unit()); err != nil {
		return err
	}
	r.truth.watch(r.purses)
	return r.world.startAgents(ctx, r.tenant.enrolment)
}

// unit is about half of what all callers together reserve, in nano-dollars: budgets are parts
// of it, so that they run out within a minute. The least of them is to pay for some requests.
func (c Config) unit() int64 { return max(int64(c.Agents)*int64(c.Callers), 200) * 25_000 }

// verdict tells what came out.
func (r *run) verdict() error {
	for _, line := range r.report() {
		r.say.Linef("%s", line)
	}
	r.idle()
	found := r.findings.lines()
	for _, line := range found {
		r.say.Linef("%s", line)
	}
	if len(found) > 0 {
		r.say.Linef("FAILED; --seed %d makes the same choices again", r.config.Seed)
		return ErrBroken
	}
	r.say.Linef("held: no budget was exceeded at any time, nothing is held, and the books agree to the nano-dollar")
	return nil
}

// idle is a finding where nothing happened: then nothing is proved.
func (r *run) idle() {
	t := r.callers.count()
	if t.served == 0 || t.codes["429 budget_exceeded"] == 0 || r.faults.kills[agentKilled] == 0 || r.faults.kills[planeKilled] == 0 || r.auditor.snapshots.Load() < 20 {
		r.findings.add("the run itself", "nobody was served, refused, killed or looked at: it proves nothing")
	}
}
