package policy_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// regional has a gateway that may send to the EU only, where the second provider is;
// the first states no region, a third is in the US.
func regional() policy.State {
	state := example()
	state.Gateway.AllowedRegions = []string{"eu", "eu-west-1"}
	abroad := state.Providers[0]
	abroad.ID, abroad.Name, abroad.Region = id(20), "openai-us", "us"
	state.Providers = append(state.Providers, abroad)
	state.Routes = append(state.Routes, route.Route{ID: id(21), Settings: route.Settings{
		Name: "both", Strategy: eventv1.Strategy_STRATEGY_PRIORITY,
		Targets: []route.Target{{ProviderID: id(20), Model: "far"}, {ProviderID: id(4), Model: "near"}},
	}})
	return state
}

func TestCompileLeavesProvidersOutside(t *testing.T) {
	state := regional()
	resources, err := policy.Compile(state, nil)
	if err != nil {
		t.Fatal(err)
	}
	routes := map[string]*policyv1.Route{}
	for _, r := range resources {
		if text := string(r.GetBody()); strings.Contains(text, "api.openai.com") {
			t.Errorf("%s %s knows a provider outside", r.GetKind(), r.GetId())
		}
		if r.GetKind() == policy.KindRoute {
			m := &policyv1.Route{}
			if err := proto.Unmarshal(r.GetBody(), m); err != nil {
				t.Fatal(err)
			}
			routes[m.GetName()] = m
		}
	}
	if both := routes["both"]; len(both.GetTargets()) != 1 || both.GetTargets()[0].GetModel() != "near" || both.GetUnserved() != "" {
		t.Errorf("a route with one target inside: %v", both)
	}
	const why = "the gateway prod-eu may send to providers in eu, eu-west-1 only: openai states no region"
	if chat := routes["chat"]; len(chat.GetTargets()) != 0 || chat.GetUnserved() != why {
		t.Errorf("a route with none: %v", chat)
	}
	if len(state.Routes[2].Targets) != 2 || len(state.Providers) != 3 {
		t.Error("the state was changed")
	}
	if got := needs(t, state); got != 4 {
		t.Errorf("needs capability %d", got)
	}
	unserved := policy.UnservedBy(state.Gateway, state.Providers, state.Routes)
	if len(unserved) != 1 || unserved[0].Name != "chat" || unserved[0].Reason != why {
		t.Errorf("unserved %v", unserved)
	}
}

func TestCompileServesEveryRegionWhereNoneIsNamed(t *testing.T) {
	state := regional()
	state.Gateway.AllowedRegions = nil
	if got := needs(t, state); got != 3 { // a route by priority
		t.Errorf("needs capability %d", got)
	}
	if unserved := policy.UnservedBy(state.Gateway, state.Providers, state.Routes); len(unserved) != 0 {
		t.Errorf("unserved %v", unserved)
	}
}

// A configuration of the past sends nowhere that was forbidden since, and nowhere that it
// did not send to.
func TestCompileKeepsToTheRegionsOfNow(t *testing.T) {
	for name, test := range map[string]struct {
		was, now    []string
		near, far   bool
		whyUnserved string
	}{
		"narrowed":       {nil, []string{"eu"}, true, false, ""},
		"narrowed_twice": {[]string{"eu", "us"}, []string{"us"}, false, true, ""},
		"widened":        {[]string{"eu"}, []string{"eu", "us"}, true, false, ""},
		"lifted":         {[]string{"eu"}, nil, true, false, ""},
		"moved":          {[]string{"eu"}, []string{"us"}, false, false, "no region that both this configuration and the present one allow"},
	} {
		t.Run(name, func(t *testing.T) {
			state := regional()
			state.Providers[1].Region = "eu"
			state.ConfigurationVersion, state.Gateway.AllowedRegions, state.RegionsNow = 1, test.was, test.now
			resources, err := policy.Compile(state, nil)
			if err != nil {
				t.Fatal(err)
			}
			both := &policyv1.Route{}
			for _, r := range resources {
				if r.GetId() == id(21).String() {
					err = proto.Unmarshal(r.GetBody(), both)
				}
			}
			models := map[string]bool{}
			for _, target := range both.GetTargets() {
				models[target.GetModel()] = true
			}
			if err != nil || models["near"] != test.near || models["far"] != test.far || !strings.Contains(both.GetUnserved(), test.whyUnserved) {
				t.Errorf("%v %v", both, err)
			}
		})
	}
}

// A provider that is said to be elsewhere by now is so in a configuration of the past, too,
// if that takes it away, and if it is the same one.
func TestCompileKeepsToWhereProvidersAreSaidToBeNow(t *testing.T) {
	for name, test := range map[string]struct {
		was, now string
		moved    bool
		near     bool
	}{
		"corrected":                 {"eu", "us", false, false},
		"not_stated_any_more":       {"eu", "", false, false},
		"another_that_is_allowed":   {"eu", "eu-west-1", false, true},
		"brought_in":                {"us", "eu", false, false},
		"another_server_since_then": {"eu", "us", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			state := regional()
			state.ConfigurationVersion, state.RegionsNow = 1, state.Gateway.AllowedRegions
			state.Providers[1].Region = test.was
			is := state.Providers[1]
			if is.Region = test.now; test.moved {
				is.BaseURL = "https://us.example/v1"
			}
			state.ProvidersNow = []provider.Provider{is}
			resources, err := policy.Compile(state, nil)
			near := false
			for _, r := range resources {
				near = near || r.GetKind() == policy.KindProvider && r.GetId() == is.ID.String()
			}
			if err != nil || near != test.near {
				t.Errorf("it is there: %t, %v", near, err)
			}
		})
	}
}

// What a gateway may not send to, it neither tries nor copies to; and where a route has no
// target left, a canary alone serves nobody.
func TestCompileLeavesSharesOutside(t *testing.T) {
	for name, test := range map[string]struct {
		canary, shadow *route.Share
		wantCanary     bool
		wantShadow     bool
		far            bool
	}{
		"both_inside":      {share(4, "c"), share(4, "s"), true, true, false},
		"canary_outside":   {share(20, "c"), share(4, "s"), false, true, false},
		"shadow_outside":   {share(4, "c"), share(20, "s"), true, false, false},
		"no_region_stated": {share(3, "c"), nil, false, false, false},
		"not_served":       {share(4, "c"), share(4, "s"), false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			state := regional()
			both := &state.Routes[len(state.Routes)-1]
			both.Canary, both.Shadow = test.canary, test.shadow
			if test.far {
				both.Targets = both.Targets[:1]
			}
			resources, err := policy.Compile(state, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := &policyv1.Route{}
			for _, r := range resources {
				if r.GetId() == both.ID.String() {
					err = proto.Unmarshal(r.GetBody(), got)
				}
			}
			if err != nil || (got.GetCanary() != nil) != test.wantCanary || (got.GetShadow() != nil) != test.wantShadow || (got.GetUnserved() != "") != test.far {
				t.Errorf("%v %v", got, err)
			}
			if both.Canary != test.canary || both.Shadow != test.shadow {
				t.Error("the state was changed")
			}
		})
	}
}
