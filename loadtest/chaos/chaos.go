// Package chaos runs the real programs under load while it kills, stops and cuts off any
// of them at random, and fills their disks. Then it lets them come to rest and holds what
// they recorded against what the callers saw and what the provider billed: no request is
// lost, none is there twice, and each costs what it cost.
//
// It must not know how Weir gets there: it speaks to it as applications, admins and
// analysts do, and counts by itself.
package chaos

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
	Seed   uint64        `help:"What the order of faults and requests follows from; 0: another one each time. What runs beside each other is the machine's."`
	For    time.Duration `default:"3m" help:"How long faults go on."`
	Kills  int           `help:"Go on until so many processes were killed, however long that takes."`
	Faults []Kind        `default:"kill,stop,cut,enospc" enum:"kill,stop,cut,enospc" help:"What happens: kill, stop, cut, enospc."`
	Disks  []string      `default:"agent,kafka" enum:"agent,kafka,clickhouse" help:"Whose disks get full. ClickHouse itself may keep a merged part whose marks did not get written, and can't read its table then."`
	AtOnce int           `default:"2" help:"How many faults may overlap."`
	Rate   float64       `default:"40" help:"Requests that callers begin in a second, about."`
	Kafka  string        `default:"embedded" enum:"embedded,apache" help:"The broker: embedded or apache, the real one."`
	Rest   time.Duration `default:"3m" help:"How long agents may take to deliver, and then everything to come to rest."`
	Dir    string        `type:"path" help:"Where everything is kept; empty: a temporary folder, which goes if all is well."`
	Keep   bool          `help:"Keep the folder, whatever comes out."`
}

// ErrBroken says that what was recorded is not what happened.
var ErrBroken = errors.New("usage is not what it must be")

// Run builds Weir, starts all of it and returns when it is stopped again: nil only if
// every check held. What it finds is written to out.
func Run(ctx context.Context, c Config, out io.Writer) (err error) {
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1 << 32)
	}
	dir, made, err := c.folder()
	if err != nil {
		return err
	}
	say := screen.New(out)
	say.Linef("seed %d: faults %v, %d at once; everything is in %s", c.Seed, c.Faults, c.AtOnce, dir)
	defer func() {
		if made && err == nil && !c.Keep {
			err = os.RemoveAll(dir)
			return
		}
		say.Linef("logs and data are kept in %s", dir)
	}()
	r := &run{config: c, dir: dir, say: say, began: time.Now()}
	return r.do(ctx)
}

// folder is made, where none is given.
func (c Config) folder() (dir string, made bool, err error) {
	if c.Dir != "" {
		dir, err := filepath.Abs(c.Dir)
		return dir, false, errors.Join(err, os.MkdirAll(dir, 0o755))
	}
	dir, err = os.MkdirTemp("", "weir-chaos-")
	return dir, true, err
}

// run is one run, from nothing to the verdict.
type run struct {
	config Config
	dir    string
	say    *screen.Screen
	began  time.Time
}

func (r *run) do(ctx context.Context) (err error) {
	w, err := newWorld(ctx, r.config, r.dir, r.say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	tenants, err := w.settle(ctx)
	if err != nil {
		return fmt.Errorf("set up organizations and agents: %w", err)
	}
	callers := newCallers(r.config, w, tenants)
	stopCalling := callers.start(ctx)
	defer stopCalling()
	r.say.Linef("everything serves after %s", r.since())

	m := newMonkeys(r.config, w, r.say)
	stopTelling := r.say.Every(10*time.Second, func() string { return callers.tally() + "; " + m.tally() })
	err = m.run(ctx)
	stopTelling()
	stopCalling()
	if err != nil {
		return err
	}
	r.say.Linef("%s of faults: %s; %s", r.since(), callers.tally(), m.tally())
	return r.judge(ctx, w, tenants, callers, m)
}

// judge lets everything come to rest and says what is wrong.
func (r *run) judge(ctx context.Context, w *world, tenants []*tenant, callers *callers, m *monkeys) error {
	books, unrest, err := w.rest(ctx, tenants, callers.asks(), m.full())
	if err != nil {
		return fmt.Errorf("come to rest: %w", err)
	}
	found := judge(callers.asks(), w.provider.of, books, m.full())
	found = append(found, w.endings()...)
	found = append(found, unrest...)
	found = append(found, r.idle(m, callers.asks())...)
	r.say.Linef("%s", books.summary(callers.asks()))
	for _, text := range summarize(found) {
		r.say.Linef("%s", text)
	}
	if len(found) > 0 {
		r.say.Linef("FAILED: %d findings; --seed %d makes the same choices again", len(found), r.config.Seed)
		return ErrBroken
	}
	r.say.Linef("held: nothing lost, nothing doubled, every cost exact")
	return nil
}

// idle is a finding where nothing happened.
func (r *run) idle(m *monkeys, asks []*ask) []finding {
	for _, a := range asks {
		if a.whole && (m.count(kill) > 0 || !r.config.has(kill)) {
			return nil
		}
	}
	return []finding{{check: "the run itself", text: "nobody was killed, or nobody was answered: it proves nothing"}}
}

func (r *run) since() time.Duration { return time.Since(r.began).Round(time.Second) }
