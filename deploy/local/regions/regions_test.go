package regions_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const follows = 15 * time.Second

// Two gateways in two regions, with policies of the real control plane: nothing goes to a
// provider outside of a gateway's regions, what is taken away holds at once, what is
// given comes by the rollout, and usage is at its own region's broker.
func TestTwoRegions(t *testing.T) {
	w := newWorld(t)
	eu, us := w.join(w.eu, "eu-1", "eu-2"), w.join(w.us, "us-1")[0]
	canary, other := eu[0], eu[1]
	w.within(follows, "each gateway serves its region", func() error {
		var faults []error
		for _, a := range eu {
			faults = append(faults, w.serves(a, "chat-eu", w.eu), w.serves(a, "chat", w.eu),
				w.refuses(a, "chat-us", "the gateway gateway-eu may send to providers in eu only: mock-us is in us"))
		}
		return errors.Join(append(faults, w.serves(us, "chat-us", w.us), w.serves(us, "chat", w.us),
			w.refuses(us, "chat-eu", "the gateway gateway-us may send to providers in us only: mock-eu is in eu"))...)
	})
	if got := w.unserved(w.eu); !slices.Equal(got, []string{"chat-us: the gateway gateway-eu may send to providers in eu only: mock-us is in us"}) {
		t.Errorf("unserved routes %v", got)
	}
	if toUS, toEU := w.us.asked.Load(), w.eu.asked.Load(); toUS != int64(us.answered) || toEU != int64(canary.answered+other.answered) {
		t.Errorf("%d requests to us, %d to eu; answered %d, %d and %d", toUS, toEU, us.answered, canary.answered, other.answered)
	}

	w.stage(w.eu)
	w.allow(w.eu, "eu", "us")
	w.within(follows, "what is given is tried at the canary", func() error { return w.serves(canary, "chat-us", w.us) })
	for range 20 {
		must(t, w.refuses(other, "chat-us", "mock-us is in us"))
	}
	w.promote(w.eu)
	w.within(follows, "then all have it", func() error { return errors.Join(w.serves(other, "chat-us", w.us), w.serves(other, "chat", w.us)) })

	w.allow(w.eu, "eu")
	w.within(follows, "what is taken away is so at every agent", func() error {
		var faults []error
		for _, a := range eu {
			faults = append(faults, w.refuses(a, "chat-us", "mock-us is in us"), w.serves(a, "chat", w.eu))
		}
		return errors.Join(faults...)
	})
	before := w.us.asked.Load()
	for _, a := range eu {
		must(t, errors.Join(w.refuses(a, "chat-us", "mock-us is in us"), w.serves(a, "chat", w.eu), w.serves(a, "chat-eu", w.eu)))
	}
	if after := w.us.asked.Load(); after != before {
		t.Errorf("%d requests of the eu went to the us after that was forbidden", after-before)
	}

	w.relabel(w.eu, "us")
	w.within(follows, "a provider that is said to be elsewhere is left out at every agent", func() error {
		var faults []error
		for _, a := range eu {
			faults = append(faults, w.refuses(a, "chat-eu", "mock-eu is in us"), w.refuses(a, "chat", "mock-eu is in us"))
		}
		return errors.Join(faults...)
	})
	w.usageStays(canary, other, us)
}

// promote gives all agents what is tried at the first one.
func (w *world) promote(r *region) {
	w.t.Helper()
	found, err := w.gateways.GetGateway(w.t.Context(), connect.NewRequest(&adminv1.GetGatewayRequest{Id: r.gateway}))
	must(w.t, err)
	_, err = w.rollouts.PromoteRollout(w.t.Context(), connect.NewRequest(&adminv1.PromoteRolloutRequest{
		Id: found.Msg.GetGateway().GetStage().GetRolloutId(), To: adminv1.PromoteTo_PROMOTE_TO_ALL,
	}))
	must(w.t, err)
}

// usageStays waits until all that was answered is at the agents' own brokers, where nothing
// of others is.
func (w *world) usageStays(agents ...*agent) {
	w.t.Helper()
	w.within(follows, "usage is at the brokers", func() error {
		for _, a := range agents {
			if got := a.region.broker.records()[a.id]; got < a.answered {
				return fmt.Errorf("%d records of %s are at the broker of %s, %d were answered", got, a.id, a.region.name, a.answered)
			}
		}
		return nil
	})
	for _, r := range []*region{w.eu, w.us} {
		for id, n := range r.broker.records() {
			if !slices.ContainsFunc(agents, func(a *agent) bool { return a.id == id && a.region == r }) {
				w.t.Errorf("%d records of %s are at the broker of %s", n, id, r.name)
			}
		}
	}
}
