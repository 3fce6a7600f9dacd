package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/loadtest/screen"
)

// monkeys make faults, each one after the other, all beside each other.
type monkeys struct {
	config Config
	world  *world
	say    *screen.Screen
	kinds  []Kind

	mu   sync.Mutex
	busy map[string]bool
	all  []*fault // that happened
}

func newMonkeys(c Config, w *world, say *screen.Screen) *monkeys {
	m := &monkeys{config: c, world: w, say: say, busy: map[string]bool{}}
	for _, k := range c.Faults {
		if k == full && len(w.withDisk()) == 0 {
			say.Linef("note: no disk can be filled here: that takes root, or users that may make namespaces")
			continue
		}
		m.kinds = append(m.kinds, k)
	}
	return m
}

// run makes faults until it is enough, and returns when the last one is healed.
func (m *monkeys) run(ctx context.Context) error {
	if len(m.kinds) == 0 {
		return pause(ctx, m.config.For)
	}
	began := time.Now()
	var wait sync.WaitGroup
	for i := range max(1, m.config.AtOnce) {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(m.config.Seed, uint64(1000+i))) //nolint:gosec // to be repeated
			for !m.last(ctx, began) {
				m.one(ctx, r)
				_ = pause(ctx, time.Duration(r.IntN(2500))*time.Millisecond)
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

// one makes a fault, waits, and heals it.
func (m *monkeys) one(ctx context.Context, r *rand.Rand) {
	f := m.draw(r)
	key := string(f.kind) + f.on
	if !m.take(key) {
		return
	}
	defer m.give(key)
	f.begun = time.Now()
	if !f.do() {
		f.undo()
		return
	}
	m.say.Linef("%s", f)
	_ = pause(ctx, f.lasts)
	f.undo()
	f.healed = time.Now()
	m.mu.Lock()
	m.all = append(m.all, f)
	m.mu.Unlock()
}

func (m *monkeys) take(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy[key] {
		return false
	}
	m.busy[key] = true
	return true
}

func (m *monkeys) give(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.busy, key)
}

func (m *monkeys) count(k Kind) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.all {
		if f.kind == k {
			n++
		}
	}
	return n
}

// full are the times in which an agent's disk had no room, by its name.
func (m *monkeys) full() spans {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := spans{}
	for _, f := range m.all {
		if f.kind == full {
			name := strings.TrimPrefix(f.on, "the disk of ")
			all[name] = append(all[name], span{f.begun, f.healed})
		}
	}
	return all
}

// tally is one line.
func (m *monkeys) tally() string {
	var parts []string
	for _, k := range m.config.Faults {
		parts = append(parts, fmt.Sprintf("%s %d", k, m.count(k)))
	}
	return "faults: " + strings.Join(parts, ", ")
}

// span is a time; spans are those of an agent, by its name.
type (
	span  struct{ from, to time.Time }
	spans map[string][]span
)

// grace is for what a disk that was full makes late.
const grace = 5 * time.Second

func (s spans) meet(name string, from, to time.Time) bool {
	for _, one := range s[name] {
		if from.Before(one.to.Add(grace)) && to.After(one.from) {
			return true
		}
	}
	return false
}
