package ledger

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
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
	quota := w.budget(organization, settings(1000, hard, lifetime))
	a, b := w.agent(organization), w.agent(organization)
	first := w.lease(a, 1, need(quota, 100))[0]
	seen := func(want bool) {
		t.Helper()
		if watched.read.asSeen != want {
			t.Errorf("as seen: %t", watched.read.asSeen)
		}
	}
	seen(false) // the store had nothing
	w.lease(a, 1, after(quota, first, 10))
	seen(false) // an account was made: old ones may be gone
	w.lease(a, 1, after(quota, first, 20))
	seen(true)
	// What is changed behind the stamp is not looked at.
	w.change(organization, `UPDATE quota_lease SET spent = 90 WHERE organization_id = $1`)
	if g := w.lease(a, 1, after(quota, first, 30))[0]; g.GetSpent() != 30 {
		t.Errorf("read what is remembered: spent %d", g.GetSpent())
	}
	seen(true)
	got(t, w.lease(b, 1, need(quota, 900))[0], 900, 0) // not remembered, so read
	seen(true)
	w.stands(organization, quota, 30, 970, 0)

	other := w.process()
	answer, err := other.Lease(t.Context(), a, &agentv1.LeaseRequest{Boot: boot(1), Holdings: []*agentv1.Holding{closed(after(quota, first, 40))}})
	if err != nil || answer.GetGrants()[0].GetReturned() != 60 {
		t.Fatalf("%v, %v", answer, err)
	}
	got(t, w.lease(b, 1, need(quota, 960))[0], 960, 0)
	seen(false)
	got(t, w.lease(b, 1, need(quota, 961))[0], 960, agentv1.Grant_DENIAL_HELD)
	seen(true)
	w.stands(organization, quota, 40, 960, 0)
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
