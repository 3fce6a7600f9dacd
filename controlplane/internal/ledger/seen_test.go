package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// watching keeps what its last transaction read.
type watching struct {
	store
	read *state
}

func (w *watching) transact(ctx context.Context, organization uuid.UUID, fn func(tx) error) error {
	return w.store.transact(ctx, organization, func(t tx) error { return fn(watchingTx{t, w}) })
}

type watchingTx struct {
	tx
	by *watching
}

func (w watchingTx) read(ctx context.Context, asked wanted) (s *state, err error) {
	s, err = w.tx.read(ctx, asked)
	w.by.read = s
	return s, err
}

// Rows are read once, and again when another process wrote any: what is remembered is of the
// stamp that the store has, or is not gone by.
func TestSeen(t *testing.T) {
	w := inPostgres(t)
	watched := &watching{store: w.store}
	w.store = watched
	w.ledger = w.process()
	organization := uuid.New()
	s := settings(1000, hard, lifetime)
	quota := w.budget(organization, s)
	a, b := w.agent(organization), w.agent(organization)
	lane := func() *lane { return w.ledger.lanes.lanes[organization] }
	expect := func(asSeen bool, next trust) {
		t.Helper()
		if watched.read.asSeen != asSeen || lane().trust != next {
			t.Errorf("as seen: %t, and then trust %d", watched.read.asSeen, lane().trust)
		}
	}
	first := w.lease(a, 1, need(quota, 100))[0]
	w.lease(a, 1, after(quota, first, 10))
	expect(false, hoping) // accounts that were made clear old ones away
	w.lease(a, 1, after(quota, first, 20))
	expect(true, presuming)
	// What is changed behind the stamp is not looked at.
	w.change(organization, `UPDATE quota_lease SET spent = 90 WHERE organization_id = $1`)
	if g := w.lease(a, 1, after(quota, first, 30))[0]; g.GetSpent() != 30 {
		t.Errorf("read what is remembered: spent %d", g.GetSpent())
	}
	expect(true, presuming)
	if g := w.lease(a, 1, after(quota, first, 30))[0]; g.GetSpent() != 30 { // nothing is to be written
		t.Errorf("spent %d", g.GetSpent())
	}
	expect(true, presuming)
	got(t, w.lease(b, 1, need(quota, 900))[0], 900, 0) // not remembered, so read
	expect(true, presuming)
	w.stands(organization, quota, 30, 970, 0)

	t.Run("another_process", func(t *testing.T) {
		other := w.process()
		answer, err := other.Lease(t.Context(), a, &agentv1.LeaseRequest{Boot: boot(1), Holdings: []*agentv1.Holding{closed(after(quota, first, 40))}})
		if err != nil || answer.GetGrants()[0].GetReturned() != 60 {
			t.Fatalf("%v, %v", answer, err)
		}
		got(t, w.lease(b, 1, need(quota, 960))[0], 960, 0)
		expect(false, doubting)
		got(t, w.lease(b, 1, need(quota, 961))[0], 960, agentv1.Grant_DENIAL_HELD)
		expect(true, hoping)
		w.stands(organization, quota, 40, 960, 0)
		if _, err := other.Lease(t.Context(), a, &agentv1.LeaseRequest{Boot: boot(1), Holdings: []*agentv1.Holding{after(quota, first, 41)}}); err != nil {
			t.Fatal(err)
		}
		w.lease(b, 1, need(quota, 961))
		expect(false, doubting) // it read the stamp, and then the rows
		w.stands(organization, quota, 41, 960, 0)
	})
	presume := func(t *testing.T) {
		t.Helper()
		for spent := range int64(3) {
			w.lease(a, 1, after(quota, first, 50+spent))
		}
		if lane().trust != presuming {
			t.Fatalf("trust %d", lane().trust)
		}
	}
	t.Run("a_lowered_amount", func(t *testing.T) {
		presume(t)
		raised := proto.CloneOf(s)
		raised.AmountNanoUsd = 2000
		w.say(organization, quota, &eventv1.BudgetUpdated{Settings: raised})
		got(t, w.lease(b, 1, need(quota, 1100))[0], 1100, 0)
		presume(t)
		w.say(organization, quota, &eventv1.BudgetUpdated{Settings: s})
		got(t, w.lease(b, 1, need(quota, 1101))[0], 1100, agentv1.Grant_DENIAL_HELD)
	})
	t.Run("a_restore", func(t *testing.T) {
		presume(t)
		w.save(organization)
		w.restore(organization, 5)
		got(t, w.lease(b, 1, need(quota, 1))[0], 1100, agentv1.Grant_DENIAL_RESTORED)
	})
}

// A call whose rows are remembered takes one round trip, and holds no lock in between.
func TestSeen_at_once(t *testing.T) {
	w := inPostgres(t)
	organization := uuid.New()
	quota := w.budget(organization, settings(1000, hard, lifetime))
	a := w.agent(organization)
	first := w.lease(a, 1, need(quota, 100))[0]
	for spent := range int64(3) {
		w.lease(a, 1, after(quota, first, spent))
	}
	kept := w.ledger.store
	w.ledger.store = deaf{kept}
	if g := w.lease(a, 1, needing(after(quota, first, 10), 200))[0]; g.GetGranted() != 300 || g.GetSpent() != 10 {
		t.Errorf("got %v", g)
	}
	w.ledger.store = kept
	w.stands(organization, quota, 10, 290, 700)
}

// deaf fails reads that ask the store.
type deaf struct{ store }

func (d deaf) transact(ctx context.Context, organization uuid.UUID, fn func(tx) error) error {
	return d.store.transact(ctx, organization, func(t tx) error { return fn(deafTx{t}) })
}

type deafTx struct{ tx }

func (d deafTx) read(ctx context.Context, w wanted) (*state, error) {
	s, err := d.tx.read(ctx, w)
	if d.tx.(*rows).presumed == nil {
		return nil, errors.New("it was read")
	}
	return s, err
}

// Rows that are cleared away are remembered no more: what is settled later makes none of them.
func TestSeen_forgotten(t *testing.T) {
	w := inPostgres(t)
	organization := uuid.New()
	quota := w.budget(organization, settings(1000, hard, everyHour))
	a := w.agent(organization)
	old := w.lease(a, 1, need(quota, 100))[0]
	w.step(keepFor + 3*time.Hour - time.Minute)
	for spent := range int64(3) {
		w.lease(a, 1, after(quota, old, spent))
	}
	w.step(2 * time.Hour)
	w.lease(a, 1, need(quota, 100)) // makes an account, and clears the old one away
	w.lease(a, 1, after(quota, old, 50))
	var left int
	err := w.db.Read(t.Context(), organization, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM quota_account WHERE ends_at < $1) + (SELECT count(*) FROM quota_lease WHERE window_id = $2)`,
			w.now().Add(-time.Hour), old.GetWindow()).Scan(&left)
	})
	if err != nil || left != 0 {
		t.Errorf("%d rows are there again, %v", left, err)
	}
}

// What is remembered is bounded: lanes that nobody is in forget first.
func TestSeen_bounded(t *testing.T) {
	rows := map[uuid.UUID]known{}
	for range seenRows {
		rows[uuid.New()] = known{}
	}
	l := &lanes{lanes: map[uuid.UUID]*lane{}}
	const lanesMade = 3 * seenByAll / seenRows
	for range lanesMade {
		mine := &lane{organization: uuid.New(), led: true, seen: seen{stamp: uuid.New(), agents: rows}}
		l.lanes[mine.organization] = mine
		l.keep(mine)
		if mine.seen.size() != seenRows {
			t.Fatal("the lane that was led forgot")
		}
		mine.led = false
	}
	sum := 0
	for _, mine := range l.lanes {
		if sum += mine.seen.size(); mine.kept != mine.seen.size() {
			t.Errorf("counted %d of %d", mine.kept, mine.seen.size())
		}
	}
	if sum != l.seen || sum != seenByAll {
		t.Errorf("%d are remembered, and %d counted", sum, l.seen)
	}
	s := seen{}
	done := newState()
	done.stamp, done.asSeen = uuid.New(), true
	for i := range 2 * seenRows {
		s = s.remember(done, wanted{agents: []uuid.UUID{uuid.New()}})
		if s.size() == 0 || s.size() > seenRows {
			t.Fatalf("%d rows after %d", s.size(), i)
		}
	}
	if s = s.remember(done, wanted{agents: make([]uuid.UUID, 1), leases: manyLeases(seenRows)}); s.size() != 0 {
		t.Errorf("%d rows of one transaction", s.size())
	}
}

func manyLeases(n int) (keys []leaseKey) {
	for range n {
		keys = append(keys, leaseKey{agent: uuid.New()})
	}
	return keys
}
