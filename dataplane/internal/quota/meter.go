package quota

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Client calls the ledger.
type Client interface {
	Lease(ctx context.Context, request *agentv1.LeaseRequest) (*agentv1.LeaseResponse, error)
}

// Disk knows what requests took, whatever the agent died of.
type Disk interface {
	// Boot is the present start of the agent.
	Boot() string
	// Charged are the totals of earlier boots, by their name: closed where no more can have been
	// spent than they say. whole: nothing of earlier boots is missing.
	Charged() (totals []*agentv1.Holding, whole bool)
	// ForgetCharges lets go of totals that the ledger has, and of what is behind them.
	ForgetCharges(totals []*agentv1.Holding)
	// RecallCharges notes totals of the present boot that were forgotten, before more is spent.
	RecallCharges(totals []*agentv1.Holding) error
}

// Config of a Meter. Client and Metrics are required.
type Config struct {
	Client  Client
	Metrics prometheus.Registerer
	Logger  *slog.Logger
	// MaxAccounts bounds the subjects that are held: 50,000. Beyond it requests of others are
	// refused by hard quotas, as crowded, and not counted by the rest.
	MaxAccounts int
	Timing      Timing
}

// Timing of calls; zero means the default in brackets.
type Timing struct {
	Wait     time.Duration // [50 ms] that a request waits for the ledger at most
	Every    time.Duration // [250 ms] between calls that no request waits for
	Settle   time.Duration // [2 s] until what was spent is told
	Call     time.Duration // [2 s] that a call may take
	MinRetry time.Duration // [100 ms]
	MaxRetry time.Duration // [5 s]
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&t.Wait, 50*time.Millisecond)
	set(&t.Every, 250*time.Millisecond)
	set(&t.Settle, 2*time.Second)
	set(&t.Call, 2*time.Second)
	set(&t.MinRetry, 100*time.Millisecond)
	set(&t.MaxRetry, 5*time.Second)
	return t
}

// Meter holds the quotas of one agent. All methods may be called from many goroutines.
type Meter struct {
	config  Config
	timing  Timing
	metrics *metrics
	began   time.Time

	books    atomic.Pointer[map[[16]byte]*book] // of the policy
	accounts atomic.Int64                       // of all books

	away    atomic.Bool  // the last call failed, or nobody calls
	calling atomic.Int64 // when the call under way began; 0: there is none
	kick    chan struct{}

	mu      sync.Mutex
	leaving []*book // not of the policy any more, with accounts

	loop loop
}

// book is one quota with its accounts.
type book struct {
	meter  *Meter
	kind   Kind
	quota  atomic.Pointer[Quota]
	beyond atomic.Pointer[prometheus.Counter] // of a soft one
	left   atomic.Bool                        // not of the policy any more

	mu       sync.RWMutex
	accounts map[string]*account
}

// NewMeter registers the metrics; it calls nobody. Until Run, the ledger counts as away.
func NewMeter(config Config) (*Meter, error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.MaxAccounts == 0 {
		config.MaxAccounts = 50_000
	}
	m := &Meter{config: config, timing: config.Timing.withDefaults(), began: time.Now().Add(-1), kick: make(chan struct{}, 1)}
	m.away.Store(true)
	m.books.Store(&map[[16]byte]*book{})
	var err error
	m.metrics, err = newMetrics(config.Metrics, m)
	return m, err
}

// now is the moment by the monotonic clock, in ns since the meter began; never 0.
func (m *Meter) now() int64 { return int64(time.Since(m.began)) }

// at is what a moment is by the wall clock as it was when the meter began: a clock that is set
// moves no window.
func (m *Meter) at(now int64) time.Time { return m.began.Add(time.Duration(now)) }

// unreachable tells whether there is no use in waiting for the ledger.
func (m *Meter) unreachable(now int64) bool {
	if m.away.Load() {
		return true
	}
	began := m.calling.Load()
	return began != 0 && now-began >= int64(m.timing.Wait)
}

// Use takes in the quotas of a policy, before requests come under it. What was spent of those
// that stay is kept; those that go are settled and closed once their last request has ended.
func (m *Meter) Use(quotas []*Quota) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, now := *m.books.Load(), make(map[[16]byte]*book, len(quotas))
	for _, q := range quotas {
		b := was[q.ID]
		if b == nil || b.kind != q.Kind() {
			b = m.back(q)
		}
		b.quota.Store(q)
		b.beyond.Store(m.metrics.beyond(q))
		b.left.Store(false)
		now[q.ID] = b
	}
	for id, b := range was {
		if now[id] != b {
			b.left.Store(true)
			b.wake()
			m.leaving = append(m.leaving, b)
		}
	}
	m.books.Store(&now)
	m.ring()
}

// back finds a quota that had left, or makes a new one.
func (m *Meter) back(q *Quota) *book {
	for i, b := range m.leaving {
		if b.quota.Load().ID == q.ID && b.kind == q.Kind() {
			m.leaving = append(m.leaving[:i], m.leaving[i+1:]...)
			b.wake()
			return b
		}
	}
	b := &book{meter: m, kind: q.Kind(), accounts: map[string]*account{}}
	b.quota.Store(q)
	return b
}

// ring has the loop look at once.
func (m *Meter) ring() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

func (b *book) wake() {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, a := range b.accounts {
		a.wake()
	}
}

func (b *book) account(subject string) *account {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.accounts[subject]
}

// lookup returns the account of a claim with its lock held, and makes one where there is
// none. nil: nothing bounds the claim, or, where crowded, there is no room for the account.
func (m *Meter) lookup(c *Claim) (a *account, crowded bool) {
	b := (*m.books.Load())[c.Quota.ID]
	if b == nil || b.kind != c.Quota.Kind() {
		return nil, false // the policy changed meanwhile
	}
	for {
		a := b.account(c.Subject)
		if a == nil {
			if a = b.open(c.Subject); a == nil {
				return nil, true
			}
		}
		a.mu.Lock()
		if !a.dead {
			return a, false
		}
		a.mu.Unlock()
	}
}

func (b *book) open(subject string) *account {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.accounts[subject]; a != nil {
		return a
	}
	if b.meter.accounts.Load() >= int64(b.meter.config.MaxAccounts) {
		return nil
	}
	a := &account{book: b, subject: subject}
	b.accounts[subject] = a
	b.meter.accounts.Add(1)
	return a
}

// drop forgets an account whose lock is held.
func (b *book) drop(a *account) {
	a.dead = true
	b.mu.Lock()
	delete(b.accounts, a.subject)
	b.mu.Unlock()
	b.meter.accounts.Add(-1)
}

// all are the books, those that left too.
func (m *Meter) all() []*book {
	m.mu.Lock()
	defer m.mu.Unlock()
	books := append([]*book(nil), m.leaving...)
	for _, b := range *m.books.Load() {
		books = append(books, b)
	}
	return books
}

// forgetLeft lets go of books that left and have no account.
func (m *Meter) forgetLeft() {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.leaving[:0]
	for _, b := range m.leaving {
		b.mu.RLock()
		if len(b.accounts) > 0 {
			kept = append(kept, b)
		}
		b.mu.RUnlock()
	}
	clear(m.leaving[len(kept):])
	m.leaving = kept
}
