package quota_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/share"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// ledger is a fake of the control plane's: amounts in windows of one length, and shares. It
// demands of every call what the real one relies on, and that spent and held stay within the
// limit.
type ledger struct {
	t      testing.TB
	mu     sync.Mutex
	limits map[string]int64         // by quota; one that is not here is gone
	length map[string]time.Duration // of windows; 0: it has one for ever
	boots  map[string]string        // the newest of each agent
	ended  map[string]bool          // by agent and boot
	leases map[leaseKey]*lease
	slice  int64 // at most so much of a want is granted at once; 0: all that is free
	soft   map[string]bool
	shares map[string]map[string]int64 // by quota and agent
	term   time.Duration
	even   bool                 // wants are granted as the real one grants them: an even part of what is free
	parts  map[string]*parts    // as the real one splits rates, by quota; nil: it does not
	skew   time.Duration        // of its clock
	whole  bool                 // a share is all that others do not have
	deaf   bool                 // totals are not taken
	denial agentv1.Grant_Denial // of all grants

	calls  int
	before func() error // of a call: it never arrives
	after  func() error // of a call: its answer is lost
	last   *agentv1.LeaseRequest
}

type leaseKey struct{ agent, boot, quota, subject, window string }

type lease struct {
	granted, spent, returned int64
	closed                   bool
}

func newLedger(t testing.TB) *ledger {
	return &ledger{
		t: t, limits: map[string]int64{}, length: map[string]time.Duration{}, boots: map[string]string{}, ended: map[string]bool{}, leases: map[leaseKey]*lease{},
		soft: map[string]bool{}, shares: map[string]map[string]int64{}, term: 2 * time.Second,
	}
}

// agent is the ledger as one agent reaches it.
type agent struct {
	*ledger
	name string
}

var errLost = errors.New("lost")

func (l agent) Lease(ctx context.Context, request *agentv1.LeaseRequest) (*agentv1.LeaseResponse, error) {
	request = proto.CloneOf(request)
	l.mu.Lock()
	before, after := l.before, l.after
	l.mu.Unlock()
	if before != nil {
		if err := before(); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	answer := l.lease(l.name, request)
	if after != nil {
		if err := after(); err != nil {
			return nil, err
		}
	}
	return answer, ctx.Err()
}

func (l *ledger) lease(agent string, request *agentv1.LeaseRequest) *agentv1.LeaseResponse {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	l.last = request
	l.boots[agent] = max(l.boots[agent], request.GetBoot())
	if request.GetSettledUp() {
		for key, lease := range l.leases {
			if key.agent == agent && key.boot < request.GetBoot() {
				lease.closed, lease.returned = true, max(lease.returned, lease.granted-lease.spent)
			}
		}
	}
	if request.GetEnded() {
		defer l.end(agent, request.GetBoot())
	}
	answer := &agentv1.LeaseResponse{}
	for _, h := range request.GetHoldings() {
		answer.Grants = append(answer.Grants, l.grant(agent, request.GetBoot(), h))
	}
	for _, d := range request.GetDemands() {
		answer.Shares = append(answer.Shares, l.share(agent, d))
	}
	return answer
}

// end frees what a boot was granted, and grants it nothing more.
func (l *ledger) end(agent, boot string) {
	l.ended[agent+boot] = true
	for key, lease := range l.leases {
		if key.agent == agent && key.boot == boot {
			lease.closed, lease.returned = true, max(lease.returned, lease.granted-lease.spent)
		}
	}
}

// window is the present one of a quota, and when it ends.
func (l *ledger) window(quota string) (id string, ends time.Time) {
	length := l.length[quota]
	if length == 0 {
		return "lifetime", time.Time{}
	}
	start := time.Now().Add(l.skew).Truncate(length)
	return start.UTC().Format(time.RFC3339Nano), start.Add(length - l.skew)
}

func (l *ledger) grant(agent, boot string, h *agentv1.Holding) *agentv1.Grant {
	limit, ok := l.limits[h.GetQuotaId()]
	if !ok {
		return &agentv1.Grant{Denial: agentv1.Grant_DENIAL_GONE, Window: h.GetWindow()}
	}
	present, ends := l.window(h.GetQuotaId())
	window := h.GetWindow()
	if window == "" {
		if h.GetSpent() != 0 || h.GetGranted() != 0 || h.GetReturned() != 0 {
			l.t.Errorf("a holding without a window has totals: %v", h)
		}
		window = present
	}
	if h.GetBoot() != "" {
		boot = h.GetBoot()
	}
	key := leaseKey{agent, boot, h.GetQuotaId(), h.GetSubject(), window}
	s := l.leases[key]
	if s == nil {
		s = &lease{}
		l.leases[key] = s
	}
	if l.deaf {
		return &agentv1.Grant{Window: window, Granted: s.granted, Spent: s.spent, Returned: s.returned, Denial: agentv1.Grant_DENIAL_OLD_BOOT}
	}
	if s.closed && h.GetSpent() > s.spent && !l.soft[h.GetQuotaId()] {
		l.t.Errorf("%v spent %d, and had closed with %d", key, h.GetSpent(), s.spent)
	}
	s.granted, s.spent, s.returned = max(s.granted, h.GetGranted()), max(s.spent, h.GetSpent()), max(s.returned, h.GetReturned())
	if s.closed = s.closed && h.GetWindow() != "" || h.GetClosed(); s.closed {
		known := h.GetGranted() // of its present boot: more may be granted in a call that comes late
		if h.GetBoot() != "" {
			known = s.granted
		}
		s.returned = max(s.returned, known-s.spent)
	}
	if s.spent+s.returned > s.granted && !l.soft[h.GetQuotaId()] {
		l.t.Errorf("%v has %+v: more than it was granted", key, *s)
	}
	g := &agentv1.Grant{Window: window, Limit: limit, EndsInMs: proto.Int64(0), Denial: l.denial}
	if window == present && boot == l.boots[agent] && !s.closed && !l.ended[agent+boot] {
		g.EndsInMs = nil
		if !ends.IsZero() {
			g.EndsInMs = proto.Int64(time.Until(ends).Milliseconds())
		}
		if g.Denial == 0 {
			g.Denial = l.give(key, s, h, limit)
		}
	}
	g.Granted, g.Spent, g.Returned = s.granted, s.spent, s.returned
	g.Free = l.free(key, limit)
	if l.free(key, limit) < 0 && !l.soft[h.GetQuotaId()] {
		l.t.Errorf("%s: spent and held are %d beyond the limit", key.quota, -l.free(key, limit))
	}
	g.Free = max(g.Free, 0)
	g.HeldByOthers = l.heldByOthers(key)
	return g
}

func (l *ledger) give(key leaseKey, s *lease, h *agentv1.Holding, limit int64) agentv1.Grant_Denial {
	free := max(l.free(key, limit), 0)
	// As the real one: from what the agent says it was granted.
	base, left := h.GetGranted(), max(h.GetGranted()-h.GetSpent()-h.GetReturned(), 0)
	if h.GetWindow() == "" {
		base, left = s.spent+s.returned, 0
	}
	denial := agentv1.Grant_DENIAL_UNSPECIFIED
	need := max(base+h.GetNeed()-s.granted, 0)
	if h.GetNeed() == 0 {
		need = 0
	} else {
		base += h.GetNeed()
	}
	if need > free && !l.soft[key.quota] {
		denial = agentv1.Grant_DENIAL_HELD
		if l.spent(key) >= limit {
			denial = agentv1.Grant_DENIAL_EXHAUSTED
		}
		need = 0
	}
	if need > free || h.GetWant() > 0 && free == 0 && l.spent(key) >= limit {
		denial = agentv1.Grant_DENIAL_EXHAUSTED
	}
	s.granted += need
	want := min(max(base+max(h.GetWant()-left, 0)-s.granted, 0), max(l.free(key, limit), 0))
	if l.slice > 0 {
		want = min(want, l.slice)
	}
	if l.even {
		want = min(want, max(l.free(key, limit), 0)/(l.holders(key)+1))
	}
	s.granted += want
	return denial
}

func (l *ledger) heldByOthers(of leaseKey) (all int64) {
	for key, s := range l.leases {
		if key != of && key.quota == of.quota && key.subject == of.subject && key.window == of.window {
			all += max(s.granted-s.spent-s.returned, 0)
		}
	}
	return all
}

// holders are the agents that hold something of the window, or ask for it.
func (l *ledger) holders(of leaseKey) (n int64) {
	for key, s := range l.leases {
		if key.quota == of.quota && key.subject == of.subject && key.window == of.window && (key == of || s.granted > s.spent+s.returned) {
			n++
		}
	}
	return n
}

// free is what nobody spent or holds of the window.
func (l *ledger) free(of leaseKey, limit int64) int64 {
	for key, s := range l.leases {
		if key.quota == of.quota && key.subject == of.subject && key.window == of.window {
			limit -= s.spent
			limit -= max(s.granted-s.spent-s.returned, 0)
		}
	}
	return limit
}

func (l *ledger) spent(of leaseKey) (all int64) {
	for key, s := range l.leases {
		if key.quota == of.quota && key.subject == of.subject && key.window == of.window {
			all += s.spent
		}
	}
	return all
}

// share splits by demand; what others have is theirs until they say less.
func (l *ledger) share(agent string, d *agentv1.Demand) *agentv1.Share {
	limit, ok := l.limits[d.GetQuotaId()]
	if !ok {
		return &agentv1.Share{Denial: agentv1.Grant_DENIAL_GONE}
	}
	if l.parts != nil {
		if l.parts[d.GetQuotaId()] == nil {
			l.parts[d.GetQuotaId()] = &parts{}
		}
		amount, free := l.parts[d.GetQuotaId()].ask(agent, d.GetAmount(), limit)
		return &agentv1.Share{Amount: amount, Free: free, TermMs: share.Term.Milliseconds()}
	}
	if l.shares[d.GetQuotaId()] == nil {
		l.shares[d.GetQuotaId()] = map[string]int64{}
	}
	others := int64(0)
	for name, amount := range l.shares[d.GetQuotaId()] {
		if name != agent {
			others += amount
		}
	}
	amount := limit - others
	if !l.whole {
		amount = min(2*d.GetAmount(), amount)
	}
	l.shares[d.GetQuotaId()][agent] = amount
	return &agentv1.Share{Amount: amount, TermMs: l.term.Milliseconds(), Free: limit - others}
}

// forgetOver drops leases of windows that are over of which nothing was spent: an agent that
// never heard of such a one, as its answer was lost at the turn, can't close it.
func (l *ledger) forgetOver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, s := range l.leases {
		if present, _ := l.window(key.quota); key.window != present && s.spent == 0 && s.returned == 0 {
			delete(l.leases, key)
		}
	}
}

// sums of a quota over all windows.
func (l *ledger) sums(quota string) (spent, held int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, s := range l.leases {
		if key.quota != quota {
			continue
		}
		spent += s.spent
		held += max(s.granted-s.spent-s.returned, 0)
	}
	return spent, held
}

// called is how many calls came.
func (l *ledger) called() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls
}

// settledUp is what the last call said.
func (l *ledger) settledUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last.GetSettledUp()
}

func (l *ledger) of(key leaseKey) lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *l.leases[key]
}

func (l *ledger) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// flaky loses calls and answers, and is slow at times.
func (l *ledger) flaky(dice *rand.Rand) {
	var mu sync.Mutex
	chance := func() error {
		mu.Lock()
		lost, slow := dice.IntN(4) == 0, time.Duration(dice.IntN(40))*time.Millisecond
		mu.Unlock()
		time.Sleep(slow)
		if lost {
			return errLost
		}
		return nil
	}
	l.set(func() { l.before, l.after = chance, chance })
}

// setClock sets the clock of windows forth and back, up to 15 s each time, until stop.
func (l *ledger) setClock(dice *rand.Rand) (stop func()) {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Duration(1+dice.IntN(8_000)) * time.Millisecond):
				l.set(func() { l.skew += time.Duration(dice.IntN(30_000)-15_000) * time.Millisecond })
			}
		}
	}()
	return func() { close(done) }
}

// disk remembers what requests took, as the spool does.
type disk struct {
	mu       sync.Mutex
	boot     string
	totals   map[leaseKey]int64
	whole    bool
	recalled int
}

func newDisk(counter int) *disk {
	return &disk{boot: fmt.Sprintf("%08d", counter), totals: map[leaseKey]int64{}, whole: true}
}

func (d *disk) note(key leaseKey, amount int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.totals[key] = amount
}

func (d *disk) len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.totals)
}

func (d *disk) Boot() string { return d.boot }

func (d *disk) Charged() (totals []*agentv1.Holding, whole bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, amount := range d.totals {
		if key.boot != d.boot {
			totals = append(totals, &agentv1.Holding{
				QuotaId: key.quota, Subject: key.subject, Window: key.window, Boot: key.boot, Spent: amount, Closed: d.whole,
			})
		}
	}
	return totals, d.whole
}

func (d *disk) RecallCharges(totals []*agentv1.Holding) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range totals {
		key := leaseKey{boot: h.GetBoot(), quota: h.GetQuotaId(), subject: h.GetSubject(), window: h.GetWindow()}
		d.totals[key] = max(d.totals[key], h.GetSpent())
		d.recalled++
	}
	return nil
}

func (d *disk) ForgetCharges(totals []*agentv1.Holding) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range totals {
		delete(d.totals, leaseKey{boot: h.GetBoot(), quota: h.GetQuotaId(), subject: h.GetSubject(), window: h.GetWindow()})
	}
}
