package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/quota"
)

// store is where the ledger is kept. Transactions of one organization follow each other.
type store interface {
	transact(ctx context.Context, organization uuid.UUID, fn func(tx) error) error
	look(ctx context.Context, organization uuid.UUID, fn func(view) error) error
}

// tx is a transaction in one organization, which it sees alone.
type tx interface {
	// read takes the organization's lock until the end, and reads what is wanted. The
	// state has rows only that are there.
	read(ctx context.Context, w wanted) (*state, error)
	// quotas are those that are not off, by their ids.
	quotas(ctx context.Context) (map[uuid.UUID]bound, error)
	// over are leases that hold something of boots of these agents: those before the newest,
	// where it settled up, and its own, where it ended.
	over(ctx context.Context, settled, ended []*known) ([]leaseKey, error)
	// silent are leases that hold something of these quotas, of agents not heard since, or
	// started anew before that; some of them, where there are many.
	silent(ctx context.Context, quotas []uuid.UUID, since time.Time) ([]leaseKey, error)
	// add reads leases and their accounts into a state.
	add(ctx context.Context, s *state, keys []leaseKey) error
	// missing are agents, at most so many, that were there at the restore and have not
	// told since what they hold; released are the quotas that don't wait for them.
	missing(ctx context.Context, r restore, limit int) (agents []uuid.UUID, released map[uuid.UUID]bool, err error)
	// write stores what is dirty, and the state's new stamp. It is the last that is done. Any
	// method may return errPresumed where the read presumed.
	write(ctx context.Context, s *state, now time.Time) error
}

// wanted is what calls are about.
type wanted struct {
	// head of the log at which the quotas are known; changed is asked from there on.
	head     int64
	agents   []uuid.UUID
	accounts []accountKey
	leases   []leaseKey
	rolling  []rollingKey
	shares   []series
	// seen need not be read where its stamp is the store's.
	seen  seen
	trust trust
}

// trust is how likely nobody else wrote since.
type trust int

const (
	// doubting reads all, so as not to have to read once more.
	doubting trust = iota
	// hoping reads nothing that is remembered, if its stamp is the store's.
	hoping
	// presuming reads nothing at all where all is remembered. What was decided is written only
	// if the stamp, the log's head and the last restore are as they were.
	presuming
)

// errPresumed says that nothing was done, since not all was as it was presumed to be or more
// has to be read: what was decided has to be decided again, with less trust.
var errPresumed = errors.New("not all is as it was")

// rollingKey asks for the sub-windows that count together with one.
type rollingKey struct {
	series
	start            time.Time
	length, duration time.Duration
}

// account is the sub-window itself.
func (k rollingKey) account() accountKey {
	return accountKey{k.series, windowID(quota.Span{Start: k.start, End: k.start.Add(k.length)})}
}

// others are the sums over the other sub-windows of a rolling window; earlier is spent in
// those before it.
type others struct {
	spent, held, earlier int64
	// told is the greatest of them.
	told int32
}

// restore is the last one of the store, or of rows in it; the zero restore: none.
type restore struct {
	epoch int64
	at    time.Time
}

// state is what a transaction works on.
type state struct {
	// stamp of the rows, after what was written; Nil: nobody may remember them. asSeen: it was
	// that of what was remembered.
	stamp  uuid.UUID
	asSeen bool
	// head of the log; changed: quotas did, since the head that was asked with.
	head     int64
	changed  bool
	restored restore
	// now by the clock of shares.
	now      time.Time
	agents   map[uuid.UUID]*known
	accounts map[accountKey]*account
	leases   map[leaseKey]*lease
	others   map[series]others
	shares   map[series]map[uuid.UUID]*share
	raised   []raised
}

func newState() *state {
	return &state{
		agents: map[uuid.UUID]*known{}, accounts: map[accountKey]*account{}, leases: map[leaseKey]*lease{},
		others: map[series]others{}, shares: map[series]map[uuid.UUID]*share{},
	}
}

// agent is a new one where the store has none, and so are account and lease.
func (s *state) agent(id uuid.UUID) *known { return orMade(s.agents, id, known{agent: id}) }

func (s *state) account(key accountKey) *account {
	return orMade(s.accounts, key, account{accountKey: key})
}

func (s *state) lease(key leaseKey) *lease { return orMade(s.leases, key, lease{leaseKey: key}) }

// orMade is what a map has, where it has nothing what it gets now.
func orMade[K comparable, V any](of map[K]*V, key K, fresh V) *V {
	if of[key] == nil {
		made := fresh // on the heap only here
		of[key] = &made
	}
	return of[key]
}
