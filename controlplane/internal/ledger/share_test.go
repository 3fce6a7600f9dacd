package ledger

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	contract "github.com/weirhq/weir/proto/contract/share"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	requests = eventv1.LimitMetric_LIMIT_METRIC_REQUESTS
	atOnce   = eventv1.LimitMetric_LIMIT_METRIC_CONCURRENT_REQUESTS
	minute   = eventv1.LimitWindow_LIMIT_WINDOW_MINUTE
)

func (w *world) share(a gateway.Agent, n int, quota uuid.UUID, amount int64) *agentv1.Share {
	w.t.Helper()
	return w.call(a, &agentv1.LeaseRequest{Boot: boot(n), Demands: []*agentv1.Demand{{QuotaId: quota.String(), Amount: amount}}}).GetShares()[0]
}

func TestShares(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a, b := w.agent(organization), w.agent(organization)
		rate := w.limit(organization, 600, requests, minute)
		s := w.share(a, 1, rate, 1000)
		if s.GetAmount() != 600 || s.GetTermMs() != 1500 || s.GetDenial() != granted {
			t.Errorf("alone: %v", s)
		}
		if s := w.share(b, 1, rate, 1000); s.GetAmount() != 0 || s.GetFree() != 0 || s.GetDenial() != held {
			t.Errorf("at once: %v", s)
		}
		w.step(500 * time.Millisecond)
		if s := w.share(a, 1, rate, 1000); s.GetAmount() != 300 {
			t.Errorf("beside another one: %v", s)
		}
		w.step(time.Second)
		if s := w.share(b, 1, rate, 1000); s.GetAmount() != 0 {
			t.Errorf("the other one may not have got its answer: %v", s)
		}
		w.step(500 * time.Millisecond) // two seconds after it asked
		if s := w.share(b, 1, rate, 1000); s.GetAmount() != 300 {
			t.Errorf("moved: %v", s)
		}
		t.Run("status", func(t *testing.T) {
			if s := w.status(organization, rate); s.Limit != 600 || s.Held != 600 || s.Free != 0 || len(s.Leases) != 2 {
				t.Errorf("got %+v", s)
			}
		})
		t.Run("where_less_is_asked_some_is_free", func(t *testing.T) {
			w.step(3 * time.Second)
			if s := w.share(a, 1, rate, 10); s.GetAmount() < 10 || s.GetAmount() > 200 || s.GetFree() != 600 {
				t.Errorf("got %v", s)
			}
			if s := w.share(b, 1, rate, 10); s.GetAmount() < 10 || s.GetFree() < 400 || s.GetFree() >= 600 {
				t.Errorf("a newcomer: %v", s)
			}
		})
		t.Run("old_boot", func(t *testing.T) {
			w.share(a, 2, rate, 1)
			if s := w.share(a, 1, rate, 1); s.GetDenial() != oldBoot || s.GetAmount() != 0 {
				t.Errorf("got %v", s)
			}
		})
		t.Run("gone", func(t *testing.T) {
			if s := w.share(a, 2, uuid.New(), 1); s.GetDenial() != gone || s.GetAmount() != 0 {
				t.Errorf("got %v", s)
			}
		})
	})
}

// More agents than slots: each has one now and then.
func TestShares_of_few_slots(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		slots := w.limit(organization, 3, atOnce, 0)
		agents, had := make([]gateway.Agent, 5), make([]bool, 5)
		for i := range agents {
			agents[i] = w.agent(organization)
		}
		for range 60 {
			for i, a := range agents {
				had[i] = w.share(a, 1, slots, 2).GetAmount() > 0 || had[i]
			}
			w.step(500 * time.Millisecond)
		}
		for i := range had {
			if !had[i] {
				t.Errorf("agent %d never had a slot", i)
			}
		}
	})
}

// Whatever agents ask and whichever answers they get, what they may use by them together
// is never more than there is.
func TestShares_property(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		const amount = 100
		rate := w.limit(organization, amount, requests, minute)
		type using struct {
			agent  gateway.Agent
			amount int64
			until  time.Time
		}
		agents := make([]using, 8)
		for i := range agents {
			agents[i].agent = w.agent(organization)
		}
		steps := 2000
		if w.db != nil {
			steps = 400
		}
		full := 0
		for range steps {
			w.step(rand.N(400 * time.Millisecond))
			a := &agents[rand.IntN(len(agents))]
			s := w.share(a.agent, 1, rate, rand.Int64N(200))
			if rand.IntN(4) > 0 { // else the answer is lost
				late := rand.N(contract.Margin) // on its way
				a.amount, a.until = s.GetAmount(), w.now().Add(late+time.Duration(s.GetTermMs())*time.Millisecond)
			}
			sum := int64(0)
			for _, one := range agents {
				if w.now().Before(one.until) {
					sum += one.amount
				}
			}
			if sum > amount {
				t.Fatalf("%d of %d are in use", sum, amount)
			}
			if sum > amount*3/4 {
				full++
			}
		}
		if full < steps/10 {
			t.Errorf("hardly ever was most of it in use: %d of %d times", full, steps)
		}
	})
}
