package policy_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/quota"
	"github.com/weirhq/weir/controlplane/internal/route"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// growing is a state that random changes happen to; it notes when what changed.
type growing struct {
	*rand.Rand
	policy.State
	changed map[policy.Name]int64
}

func (g *growing) change() {
	g.Version++
	switch g.IntN(10) {
	case 0:
		i := g.IntN(len(g.Providers))
		g.Providers = slices.Clone(g.Providers)
		g.Providers[i].Region, g.Providers[i].Timeouts.ConnectMS = uuid.NewString(), int64(g.IntN(3))
		g.note(policy.KindProvider, g.Providers[i].ID)
	case 1:
		p := provider.Provider{ID: g.id(), Settings: provider.Settings{Name: "new"}}
		g.Providers = append(slices.Clip(g.Providers), p)
		g.note(policy.KindProvider, p.ID)
	case 2:
		r := route.Route{ID: g.id(), Settings: g.settings()}
		g.Routes = append(slices.Clip(g.Routes), r)
		g.note(policy.KindRoute, r.ID)
	case 3:
		i := g.IntN(len(g.Routes))
		g.note(policy.KindRoute, g.Routes[i].ID)
		g.Routes = slices.Delete(slices.Clone(g.Routes), i, i+1)
		g.Routes = append(g.Routes, route.Route{ID: g.id(), Settings: g.settings()})
		g.note(policy.KindRoute, g.Routes[len(g.Routes)-1].ID)
	case 4:
		g.PriceOverridesVersion = g.Version
		price := g.Version
		g.PriceOverrides = []priceoverride.PriceOverride{{Settings: priceoverride.Settings{PriceList: "own", Model: "m", Rates: priceoverride.Rates{Input: &price}}}}
	case 5:
		g.Usage = organization.Usage{EndUsers: eventv1.EndUsers(g.IntN(3)), Labels: []organization.Label{{Name: uuid.NewString(), MaxBytes: 9}}[:g.IntN(2)]}
		g.Gateway.WhenSpoolFull = eventv1.SpoolFull(2 * g.IntN(2))
	case 6:
		g.changeQuota()
	default:
		g.changeKey()
	}
}

func (g *growing) changeQuota() {
	g.Budgets, g.Limits = slices.Clone(g.Budgets), slices.Clone(g.Limits)
	mode := eventv1.QuotaMode(g.IntN(5))
	switch {
	case g.IntN(2) == 0:
		l := limit.Limit{ID: g.id(), Settings: limit.Settings{Metric: eventv1.LimitMetric(1 + g.IntN(3)), Amount: 7, Mode: mode}}
		g.Limits = append(g.Limits, l)
		g.note(policy.KindQuota, l.ID)
	case len(g.Budgets) > 0 && g.IntN(2) == 0:
		g.Budgets[0].Mode = mode
		g.note(policy.KindQuota, g.Budgets[0].ID)
	case len(g.Budgets) > 0 && g.IntN(3) == 0:
		g.note(policy.KindQuota, g.Budgets[0].ID)
		g.Budgets = g.Budgets[1:]
	default:
		b := budget.Budget{ID: g.id(), Settings: budget.Settings{Name: "new", Scope: quota.Scope{On: eventv1.QuotaOn(1 + g.IntN(7))}, Mode: mode}}
		g.Budgets = append(g.Budgets, b)
		g.note(policy.KindQuota, b.ID)
	}
}

// settings are of a route with some of what a route can have.
func (g *growing) settings() route.Settings {
	target := func() route.Target {
		return route.Target{ProviderID: g.Providers[g.IntN(len(g.Providers))].ID, Model: string(rune('a' + g.IntN(4))), When: []string{"", "stream"}[g.IntN(2)]}
	}
	some := func() *route.Share {
		if g.IntN(2) == 0 {
			return nil
		}
		return &route.Share{Target: target(), PerMille: int32(1 + g.IntN(1000))}
	}
	s := route.Settings{Name: "new", Strategy: eventv1.Strategy(1 + g.IntN(7)), Targets: []route.Target{target(), target()}, Canary: some(), Shadow: some()}
	if g.IntN(2) == 0 {
		s.Hedge = &route.Hedge{Percentile: int32(g.IntN(99)), MinMS: int64(g.IntN(3))}
	}
	if g.IntN(2) == 0 {
		s.Sticky = &route.Sticky{By: eventv1.StickyBy(1 + g.IntN(4)), MinTokens: int64(g.IntN(3))}
	}
	s.Timeouts.ConnectMS, s.Timeouts.FirstTokenMS = int64(g.IntN(3)), int64(g.IntN(3))
	return s
}

func (g *growing) changeKey() {
	k := key.Key{ID: g.id(), SHA256: make([]byte, 32)}
	g.Keys = slices.Clone(g.Keys)
	i := g.IntN(len(g.Keys) + 1)
	switch {
	case i == len(g.Keys):
		g.Keys = append(g.Keys, k)
	case g.IntN(3) == 0:
		k = g.Keys[i]
		g.Keys = slices.Delete(g.Keys, i, i+1)
	default:
		k = g.Keys[i]
		if k.Previous = (&key.Previous{SHA256: make([]byte, 32)}); g.IntN(2) == 0 {
			k.RevokedAt, k.RevokedVersion = day, g.Version
		} else if g.IntN(2) == 0 {
			k.Ended = append(slices.Clone(k.Ended), key.Ended{SHA256: []byte{byte(g.Version)}, Version: g.Version})
		}
		g.Keys[i] = k
	}
	g.note(policy.KindKey, k.ID)
}

func (g *growing) id() (id uuid.UUID) {
	for i := range id {
		id[i] = byte(g.IntN(256))
	}
	return id
}

func (g *growing) note(kind string, id uuid.UUID) {
	g.changed[policy.Name{Kind: kind, ID: id.String()}] = g.Version
}

// since is what the state says of what changed after a version.
func (g *growing) since(version int64) policy.State {
	s := g.State
	s.Since, s.Providers, s.Routes, s.Keys, s.Budgets, s.Limits = version, nil, nil, nil, nil, nil
	if s.PriceOverridesVersion <= version {
		s.PriceOverrides = nil
	}
	left := make(map[policy.Name]bool)
	for name, at := range g.changed {
		left[name] = at > version
	}
	take := func(kind string, id uuid.UUID) bool {
		name := policy.Name{Kind: kind, ID: id.String()}
		defer delete(left, name)
		return left[name]
	}
	for _, p := range g.Providers {
		if take(policy.KindProvider, p.ID) {
			s.Providers = append(s.Providers, p)
		}
	}
	for _, r := range g.Routes {
		if take(policy.KindRoute, r.ID) {
			s.Routes = append(s.Routes, r)
		}
	}
	for _, k := range g.Keys {
		if take(policy.KindKey, k.ID) {
			s.Keys = append(s.Keys, k)
		}
	}
	// Those that are not enforced are in no state, and left is what is gone.
	for _, b := range g.Budgets {
		if quota.Enforced(b.Mode) && take(policy.KindQuota, b.ID) {
			s.Budgets = append(s.Budgets, b)
		}
	}
	for _, l := range g.Limits {
		if quota.Enforced(l.Mode) && take(policy.KindQuota, l.ID) {
			s.Limits = append(s.Limits, l)
		}
	}
	for name, gone := range left {
		if gone {
			s.Gone = append(s.Gone, name)
		}
	}
	return s
}

// What is compiled from changes is what is compiled from the whole, and its delta turns
// any earlier policy into it, whatever versions lie between.
func TestCompileNext(t *testing.T) {
	for seed := range uint64(20) {
		g := &growing{Rand: rand.New(rand.NewPCG(seed, 1)), State: tuned(), changed: map[policy.Name]int64{}}
		first, err := policy.CompileNext(nil, g.State, book())
		if err != nil {
			t.Fatal(err)
		}
		history := []*policy.Compiled{first}
		for range 60 {
			for range 1 + g.IntN(4) {
				g.change()
			}
			before := history[len(history)-1]
			changes := g.since(before.Version)
			if g.IntN(5) == 0 {
				changes = g.State // who is asked may always say everything
			}
			next, err := policy.CompileNext(before, changes, book())
			if err != nil {
				t.Fatal(err)
			}
			want, err := policy.CompileNext(nil, g.State, book())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(next.Root, want.Root) || next.Bytes != want.Bytes || next.MinimumCapability != want.MinimumCapability {
				t.Fatalf("seed %d, version %d: %s", seed, g.Version, cmp.Diff(want.Resources(), next.Resources(), protocmp.Transform()))
			}
			if diff := cmp.Diff(policy.Revocations(g.State), policy.Revocations(before.WithRevoked(changes)), protocmp.Transform()); diff != "" {
				t.Fatalf("seed %d, version %d: revocations: %s", seed, g.Version, diff)
			}
			history = append(history, next)
			old := history[g.IntN(len(history))]
			if got := policy.Root(apply(old.Resources(), next.DeltaFrom(old))); !bytes.Equal(got, want.Root) {
				t.Fatalf("seed %d: the delta from version %d to %d makes another policy", seed, old.Version, next.Version)
			}
		}
	}
}

func apply(resources []*resource, d policy.Delta) (all []*resource) {
	over := make(map[policy.Name]bool)
	for _, name := range d.Removed {
		over[name] = true
	}
	for _, r := range d.Changed {
		over[policy.Name{Kind: r.GetKind(), ID: r.GetId()}] = true
	}
	for _, r := range resources {
		if !over[policy.Name{Kind: r.GetKind(), ID: r.GetId()}] {
			all = append(all, r)
		}
	}
	return append(all, d.Changed...)
}

func TestChangesNeedWhatTheyChange(t *testing.T) {
	state := example()
	compiled, err := policy.CompileNext(nil, state, book())
	if err != nil {
		t.Fatal(err)
	}
	state.Since = 16
	for name, before := range map[string]*policy.Compiled{"nothing": nil, "another_version": compiled} {
		if _, err := policy.CompileNext(before, state, book()); err == nil {
			t.Errorf("%s: it compiled", name)
		}
	}
	if since := compiled.Since(day.Add(policy.RevokedFor - 1)); since != 17 {
		t.Errorf("changes since version %d are asked for", since)
	}
	if since := compiled.Since(day.Add(policy.RevokedFor)); since != 0 {
		t.Errorf("a revoked key is over, and changes since version %d are asked for", since)
	}
	if since := (*policy.Compiled)(nil).Since(time.Now()); since != 0 {
		t.Errorf("nothing is there, and changes since version %d are asked for", since)
	}
}

// What a resource needs of agents may change though it says the same.
func TestNeedsOfBeforeAreOver(t *testing.T) {
	aged := example()
	aged.Gateway.CredentialMaxAge = 60
	before, err := policy.CompileNext(nil, aged, book())
	if err != nil {
		t.Fatal(err)
	}
	next, err := policy.CompileNext(before, example(), book())
	if err != nil {
		t.Fatal(err)
	}
	want, err := policy.CompileNext(nil, example(), book())
	if err != nil {
		t.Fatal(err)
	}
	if next.MinimumCapability != want.MinimumCapability || before.MinimumCapability == want.MinimumCapability {
		t.Errorf("with credentials of any age again it needs %d, want %d; before it was %d",
			next.MinimumCapability, want.MinimumCapability, before.MinimumCapability)
	}
}
