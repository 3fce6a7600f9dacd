package fleettest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
)

const (
	askLife  = 15 * time.Second
	maxTries = 2
)

// Asks is fleet.Asks and fleet.AskDesk in memory; its zero value is empty.
type Asks struct {
	mu  sync.Mutex
	all map[fleet.AskRef]*ask
}

type ask struct {
	fleet.Asking
	fleet.AskState
	put, open, taken time.Time
}

var (
	_ fleet.Asks    = (*Asks)(nil)
	_ fleet.AskDesk = (*Asks)(nil)
)

func (a *Asks) lock() (unlock func()) {
	a.mu.Lock()
	if a.all == nil {
		a.all = make(map[fleet.AskRef]*ask)
	}
	return a.mu.Unlock
}

// Put implements fleet.AskDesk.
func (a *Asks) Put(_ context.Context, asking fleet.Asking) (bool, error) {
	defer a.lock()()
	waiting := 0
	for ref, other := range a.all {
		if ref.OrganizationID == asking.OrganizationID && time.Since(other.put) < askLife {
			waiting++
		}
	}
	if waiting >= fleet.MaxAsks {
		return false, nil
	}
	now := time.Now()
	a.all[asking.AskRef] = &ask{Asking: asking, put: now, open: now}
	return true, nil
}

// Look implements fleet.AskDesk.
func (a *Asks) Look(_ context.Context, ref fleet.AskRef) (fleet.AskState, error) {
	defer a.lock()()
	found, ok := a.all[ref]
	if !ok {
		return fleet.AskState{}, fault.New(fault.NotFound, "no ask %s", ref.ID)
	}
	state := found.AskState
	state.OpenFor, state.Tried, state.Unfit = time.Since(found.open), slices.Clone(state.Tried), maps.Clone(state.Unfit)
	if state.TakenBy != uuid.Nil {
		state.TakenFor = time.Since(found.taken)
	}
	return state, nil
}

// Drop implements fleet.AskDesk.
func (a *Asks) Drop(_ context.Context, ref fleet.AskRef) error {
	defer a.lock()()
	delete(a.all, ref)
	return nil
}

// PutBack implements fleet.Asks and fleet.AskDesk.
func (a *Asks) PutBack(_ context.Context, taking fleet.AskTaking) error {
	defer a.lock()()
	if found, ok := a.all[taking.AskRef]; ok && found.TakenBy == taking.AgentID && found.Answer == nil {
		found.Tried, found.TakenBy, found.open = append(found.Tried, taking.AgentID), uuid.Nil, time.Now()
	}
	return nil
}

// Open implements fleet.Asks.
func (a *Asks) Open(context.Context) (open []fleet.OpenAsk, _ error) {
	defer a.lock()()
	for _, found := range a.all {
		tries := maxTries
		if found.AgentID != uuid.Nil {
			tries = 1
		}
		if found.TakenBy == uuid.Nil && found.Answer == nil && len(found.Tried) < tries && time.Since(found.put) < askLife {
			open = append(open, fleet.OpenAsk{Asking: found.Asking, Tried: slices.Clone(found.Tried)})
		}
	}
	return open, nil
}

// Take implements fleet.Asks.
func (a *Asks) Take(_ context.Context, takings []fleet.AskTaking) (taken []fleet.AskRef, _ error) {
	defer a.lock()()
	for _, taking := range takings {
		if found, ok := a.all[taking.AskRef]; ok && found.TakenBy == uuid.Nil && found.Answer == nil {
			found.TakenBy, found.taken = taking.AgentID, time.Now()
			taken = append(taken, taking.AskRef)
		}
	}
	return taken, nil
}

// Note implements fleet.Asks.
func (a *Asks) Note(_ context.Context, ref fleet.AskRef, unfit map[string]string) error {
	defer a.lock()()
	if found, ok := a.all[ref]; ok {
		if found.Unfit == nil {
			found.Unfit = make(map[string]string)
		}
		maps.Copy(found.Unfit, unfit)
	}
	return nil
}

// Answer implements fleet.Asks.
func (a *Asks) Answer(_ context.Context, by fleet.AskTaking, answer []byte) (bool, error) {
	defer a.lock()()
	found, ok := a.all[by.AskRef]
	if !ok || found.TakenBy != by.AgentID && !slices.Contains(found.Tried, by.AgentID) {
		return false, nil
	}
	if found.Answer == nil {
		found.Answer, found.AnsweredBy = answer, by.AgentID
	}
	return true, nil
}

// Forget implements fleet.Asks.
func (a *Asks) Forget(context.Context) error {
	defer a.lock()()
	maps.DeleteFunc(a.all, func(_ fleet.AskRef, found *ask) bool { return time.Since(found.put) >= askLife })
	return nil
}
