package policy_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/quota"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

type resource = policyv1.Resource

func id(n byte) uuid.UUID { return uuid.UUID{15: n} }

var day = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func example() policy.State {
	return policy.State{
		OrganizationID: id(1),
		Version:        17,
		Gateway:        gateway.Gateway{ID: id(2), Name: "prod-eu", Region: "local"},
		Providers: []provider.Provider{
			{ID: id(3), Settings: provider.Settings{Name: "openai", Dialect: eventv1.Dialect_DIALECT_OPENAI, BaseURL: "https://api.openai.com/v1", CredentialRef: "env://OPENAI_API_KEY", PriceList: "openai"}},
			{ID: id(4), Settings: provider.Settings{Name: "local", Dialect: eventv1.Dialect_DIALECT_OPENAI_COMPATIBLE, BaseURL: "http://127.0.0.1:8093/v1", CredentialRef: "file:///run/key", Region: "eu"}},
		},
		Routes: []route.Route{
			{ID: id(5), Settings: route.Settings{Name: "chat", Strategy: eventv1.Strategy_STRATEGY_SINGLE, Targets: []route.Target{{ProviderID: id(3), Model: "gpt-5.1"}}}},
			{ID: id(6), Settings: route.Settings{Name: "cheap", Strategy: eventv1.Strategy_STRATEGY_SINGLE, Targets: []route.Target{{ProviderID: id(4), Model: "small"}}}},
		},
		Keys: []key.Key{
			{ID: id(7), ProjectID: id(9), SHA256: make([]byte, 32), Settings: key.Settings{RouteIDs: []uuid.UUID{id(6), id(5)}, ExpiresAt: day}},
			{ID: id(8), ProjectID: id(9), SHA256: append(make([]byte, 31), 1), RevokedAt: day, RevokedVersion: 12},
			{ID: id(10), ProjectID: id(9), SHA256: append(make([]byte, 31), 2), RevokedAt: day, RevokedVersion: 9},
		},
	}
}

// tuned has a provider with headers and timeouts, and a route with one of its
// own that is for two projects.
func tuned() policy.State {
	state := example()
	state.Providers[0].Headers = map[string]string{"X-Team": "water", "Openai-Organization": "org-1", "X-Empty": ""}
	state.Providers[0].Timeouts = timeouts.Timeouts{FirstByteMS: 1000, IdleMS: 2000, TotalMS: 3_600_000}
	state.Routes[0].Timeouts = timeouts.Timeouts{TotalMS: 5000}
	state.Routes[0].AllowedProjectIDs = []uuid.UUID{id(12), id(9)}
	return state
}

// sealed has a provider with credentials for this gateway and for another.
func sealed() policy.State {
	state := example()
	state.Providers[1].CredentialRef = ""
	state.Providers[1].Sealed = []provider.Sealed{
		{GatewayID: id(2), Version: 3, Bytes: []byte("sealed for this gateway")}, {GatewayID: id(11), Version: 9, Bytes: []byte("sealed for another")},
	}
	return state
}

// routed has routes of every strategy, with retries.
func routed() policy.State {
	state := example()
	both := []route.Target{{ProviderID: id(4), Model: "small", Weight: 900}, {ProviderID: id(3), Model: "gpt-5.1", Weight: 100}}
	state.Routes[0].Strategy, state.Routes[0].Targets = eventv1.Strategy_STRATEGY_WEIGHTED, both
	state.Routes[0].Retry = &route.Retry{MaxAttempts: 3, BackoffMS: 250, On: []eventv1.Failure{6, 1, 4}}
	state.Routes[1].Strategy, state.Routes[1].Retry = eventv1.Strategy_STRATEGY_PRIORITY, &route.Retry{}
	state.Routes[1].Targets = []route.Target{{ProviderID: id(4), Model: "small"}, {ProviderID: id(3), Model: "gpt-5.1"}}
	return state
}

// translated has a provider by Azure's deployments, one of Vertex, and a strict route to both.
func translated() policy.State {
	state := example()
	azure, vertex := &state.Providers[0], &state.Providers[1]
	azure.Dialect, azure.BaseURL, azure.APIVersion = eventv1.Dialect_DIALECT_AZURE_OPENAI, "https://acme.openai.azure.com", "2024-10-21"
	vertex.Dialect, vertex.BaseURL = eventv1.Dialect_DIALECT_VERTEX, "https://aiplatform.googleapis.com/v1/projects/acme/locations/global/publishers/google"
	state.Routes[0].Strategy, state.Routes[0].Strict = eventv1.Strategy_STRATEGY_PRIORITY, true
	state.Routes[0].Targets = []route.Target{{ProviderID: id(3), Model: "own-name"}, {ProviderID: id(4), Model: "gemini-2.5-flash"}}
	return state
}

// strategic has a sticky route with all that goes with it, and one by latency with a
// condition.
func strategic() policy.State {
	state := example()
	both := []route.Target{{ProviderID: id(3), Model: "gpt-5.1"}, {ProviderID: id(4), Model: "small", When: `metadata.tier == "gold"`}}
	sticky, busy := &state.Routes[0], &state.Routes[1]
	sticky.Strategy, sticky.Targets = eventv1.Strategy_STRATEGY_STICKY, both
	sticky.Sticky = &route.Sticky{By: eventv1.StickyBy_STICKY_BY_HEADER, Header: "X-Session", MinTokens: 2048, BreakEvenPercent: 150}
	sticky.Hedge = &route.Hedge{Percentile: 90, MinMS: 100, MaxPercent: 20}
	sticky.Canary = &route.Share{Target: route.Target{ProviderID: id(4), Model: "new"}, PerMille: 50}
	sticky.Shadow = &route.Share{Target: route.Target{ProviderID: id(3), Model: "gpt-5.1"}, PerMille: 1000}
	sticky.Timeouts = timeouts.Timeouts{ConnectMS: 300, FirstTokenMS: 20_000}
	busy.Strategy, busy.Targets, busy.Retry = eventv1.Strategy_STRATEGY_LEAST_BUSY, both, &route.Retry{On: []eventv1.Failure{8, 7}}
	return state
}

// bounded has quotas of every kind, and some that are off; a key with labels.
func bounded(s *policy.State) {
	const (
		hard, soft, shadow = eventv1.QuotaMode_QUOTA_MODE_HARD, eventv1.QuotaMode_QUOTA_MODE_SOFT, eventv1.QuotaMode_QUOTA_MODE_SHADOW
		allow, refuse      = eventv1.WhenUnreachable_WHEN_UNREACHABLE_ALLOW, eventv1.WhenUnreachable_WHEN_UNREACHABLE_REFUSE
	)
	value := "blue"
	s.Keys[0].Labels = map[string]string{"team": "blue", "cost-center": "17"}
	for i, b := range []budget.Settings{
		{Name: "all", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_ORGANIZATION}, Mode: hard},
		{Name: "project", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_PROJECT, ID: id(9)}, Mode: soft, WhenUnreachable: refuse},
		{Name: "key", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_KEY, ID: id(7), ProjectID: id(9)}, Mode: shadow, WhenUnreachable: allow},
		{Name: "route", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_ROUTE, ID: id(5)}, Mode: eventv1.QuotaMode_QUOTA_MODE_OFF},
		{Name: "each-user", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_END_USER}, Mode: hard},
		{Name: "blue", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_LABEL, Label: "team", LabelValue: &value}, Mode: hard},
		{Name: "each-team", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_LABEL, Label: "team"}, Mode: soft},
	} {
		s.Budgets = append(s.Budgets, budget.Budget{ID: id(byte(50 + i)), Settings: b})
	}
	for i, l := range []limit.Settings{
		{Name: "tpm", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_PROVIDER, ID: id(3)}, Metric: eventv1.LimitMetric_LIMIT_METRIC_TOKENS,
			Amount: 90_000, Window: eventv1.LimitWindow_LIMIT_WINDOW_MINUTE, Mode: hard, WhenUnreachable: allow},
		{Name: "a-day", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_ROUTE, ID: id(6)}, Metric: eventv1.LimitMetric_LIMIT_METRIC_REQUESTS,
			Amount: 5, Window: eventv1.LimitWindow_LIMIT_WINDOW_DAY, Mode: soft, WhenUnreachable: refuse},
		{Name: "slots", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_ORGANIZATION}, Metric: eventv1.LimitMetric_LIMIT_METRIC_CONCURRENT_REQUESTS,
			Amount: 3, Mode: hard, WhenUnreachable: refuse},
		{Name: "off", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_ORGANIZATION}, Metric: eventv1.LimitMetric_LIMIT_METRIC_REQUESTS,
			Amount: 3, Window: eventv1.LimitWindow_LIMIT_WINDOW_SECOND, Mode: eventv1.QuotaMode_QUOTA_MODE_OFF, WhenUnreachable: allow},
	} {
		s.Limits = append(s.Limits, limit.Limit{ID: id(byte(70 + i)), Settings: l})
	}
}

// plain lets end users and one label of its own into usage.
func plain(s *policy.State) {
	s.Usage = organization.Usage{
		EndUsers: eventv1.EndUsers_END_USERS_PLAIN, Labels: []organization.Label{{Name: "ticket", MaxBytes: 16, Pattern: "[A-Z]+-[0-9]+"}},
	}
}

// rotated has a key that lives and one that is revoked, both with an earlier secret.
// shared has weights, a priority and a queue, and a project that is as any other.
func shared() policy.State {
	state := example()
	state.Projects = []project.Project{{ID: id(9), Settings: project.Settings{Name: "search", Weight: 7}}, {ID: id(12), Settings: project.Settings{Name: "other"}}}
	state.Keys[0].Weight, state.Keys[0].Priority = 3, eventv1.Priority_PRIORITY_INTERACTIVE
	state.Providers[1].Queue.MaxRequests, state.Providers[1].Queue.MaxWaitMS = 100, 5000
	return state
}

func rotated() policy.State {
	state := example()
	state.Keys[0].Previous = &key.Previous{SHA256: append(make([]byte, 31), 3), Suffix: "abcd", ExpiresAt: day.Add(time.Hour)}
	state.Keys[1].Previous = &key.Previous{SHA256: append(make([]byte, 31), 0), Suffix: "efgh", ExpiresAt: day.Add(-time.Hour)}
	state.Keys[1].Previous.SHA256[0] = 4
	return state
}

func book() *policyv1.PriceBook {
	return &policyv1.PriceBook{Version: "2026-07", Entries: []*policyv1.PriceEntry{
		{PriceList: "openai", Model: "gpt-5.1", Rates: &policyv1.Rates{Input: proto.Int64(1_250_000), Output: proto.Int64(10_000_000)}},
	}}
}

func TestCompile(t *testing.T) {
	t.Run("golden", func(t *testing.T) { wantGolden(t, "policy.golden", example()) })
	t.Run("golden_aged", func(t *testing.T) {
		wantGolden(t, "aged.golden", with(func(s *policy.State) { s.Gateway.CredentialMaxAge = 86_400 }))
	})
	t.Run("golden_plain", func(t *testing.T) { wantGolden(t, "plain.golden", with(plain)) })
	t.Run("golden_tuned", func(t *testing.T) { wantGolden(t, "tuned.golden", tuned()) })
	t.Run("golden_shared", func(t *testing.T) { wantGolden(t, "shared.golden", shared()) })
	t.Run("golden_sealed", func(t *testing.T) { wantGolden(t, "sealed.golden", sealed()) })
	t.Run("golden_routed", func(t *testing.T) { wantGolden(t, "routed.golden", routed()) })
	t.Run("golden_translated", func(t *testing.T) { wantGolden(t, "translated.golden", translated()) })
	t.Run("golden_strategic", func(t *testing.T) { wantGolden(t, "strategic.golden", strategic()) })
	t.Run("golden_quotas", func(t *testing.T) { wantGolden(t, "quotas.golden", with(bounded)) })
	t.Run("golden_rotated", func(t *testing.T) { wantGolden(t, "rotated.golden", rotated()) })
	t.Run("bodies_decode_to_what_the_state_says", func(t *testing.T) {
		resources, err := policy.Compile(example(), book())
		if err != nil {
			t.Fatal(err)
		}
		var got policyv1.Provider
		for _, r := range resources {
			if r.GetKind() == policy.KindProvider && r.GetId() == id(4).String() {
				if err := proto.Unmarshal(r.GetBody(), &got); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := &policyv1.Provider{
			Id: id(4).String(), Name: "local", Dialect: policyv1.Dialect_DIALECT_OPENAI_COMPATIBLE,
			BaseUrl: "http://127.0.0.1:8093/v1", CredentialRef: "file:///run/key", Region: "eu",
		}
		if diff := cmp.Diff(want, &got, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("order_of_input_does_not_matter", func(t *testing.T) {
		want, err := policy.Compile(tuned(), book())
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			state := tuned()
			shuffle(state.Keys[0].RouteIDs)
			shuffle(state.Routes[0].AllowedProjectIDs)
			shuffle(state.Providers)
			shuffle(state.Routes)
			shuffle(state.Keys)
			got, err := policy.Compile(state, book())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Fatal(diff)
			}
		}
	})
	t.Run("the_version_of_the_log_is_not_content", func(t *testing.T) {
		state := example()
		before, _ := policy.Compile(state, book())
		state.Version++
		after, _ := policy.Compile(state, book())
		if diff := cmp.Diff(policy.Root(before), policy.Root(after)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a_gateway_gets_its_own_sealed_credential_only", func(t *testing.T) {
		for gatewayID, want := range map[byte]*policyv1.SealedCredential{
			2: {Version: 3, Sealed: []byte("sealed for this gateway")}, 11: {Version: 9, Sealed: []byte("sealed for another")}, 12: nil,
		} {
			state := sealed()
			state.Gateway.ID = id(gatewayID)
			resources, err := policy.Compile(state, book())
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range resources {
				var got policyv1.Provider
				if r.GetId() != id(4).String() {
					if bytes.Contains(r.GetBody(), []byte("sealed for")) {
						t.Errorf("gateway %d: %s %s holds it", gatewayID, r.GetKind(), r.GetId())
					}
				} else if err := proto.Unmarshal(r.GetBody(), &got); err != nil {
					t.Fatal(err)
				} else if diff := cmp.Diff(want, got.SealedCredential, protocmp.Transform()); diff != "" {
					t.Errorf("gateway %d: %s", gatewayID, diff)
				}
			}
		}
	})
	t.Run("too_many_resources", func(t *testing.T) {
		state := example()
		state.Keys = make([]key.Key, policy.MaxResources)
		if _, err := policy.Compile(state, book()); !errors.Is(err, policy.ErrTooLarge) {
			t.Errorf("got %v, want ErrTooLarge", err)
		}
	})
	t.Run("too_many_bytes", func(t *testing.T) {
		state := example()
		state.Routes[0].Name = strings.Repeat("a", policy.MaxBytes)
		if _, err := policy.Compile(state, book()); !errors.Is(err, policy.ErrTooLarge) {
			t.Errorf("got %v, want ErrTooLarge", err)
		}
	})
}

func wantGolden(t *testing.T, name string, state policy.State) {
	t.Helper()
	resources, err := policy.Compile(state, book())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range resources {
		b.WriteString(r.GetKind() + " " + r.GetId() + " " + hex.EncodeToString(r.GetBody()) + "\n")
	}
	b.WriteString("root " + hex.EncodeToString(policy.Root(resources)) + "\n")
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("compiled bytes changed (-want +got):\n%s", diff)
	}
}

func share(provider byte, model string) *route.Share {
	return &route.Share{Target: route.Target{ProviderID: id(provider), Model: model}, PerMille: 10}
}

func with(change func(*policy.State)) policy.State {
	state := example()
	change(&state)
	return state
}

// needs is the capability that an agent must have for what is compiled of a state.
func needs(t *testing.T, state policy.State) int32 {
	t.Helper()
	compiled, err := policy.CompileNext(nil, state, book())
	if err != nil {
		t.Fatal(err)
	}
	return compiled.MinimumCapability
}

// spoken is the example with a provider of a dialect.
func spoken(d eventv1.Dialect) policy.State {
	return with(func(s *policy.State) { s.Providers[1].Dialect = d })
}

// Agents had to learn every dialect but those that there were at first.
func TestEveryDialectHasACapability(t *testing.T) {
	first := map[eventv1.Dialect]bool{eventv1.Dialect_DIALECT_OPENAI: true, eventv1.Dialect_DIALECT_OPENAI_COMPATIBLE: true}
	for number, name := range eventv1.Dialect_name {
		if d := eventv1.Dialect(number); number != 0 && first[d] != (needs(t, spoken(d)) == 1) {
			t.Errorf("%s needs capability %d", name, needs(t, spoken(d)))
		}
	}
}

// overridden is the example with a price of its own.
func overridden(change func(*priceoverride.Settings)) policy.State {
	return with(func(s *policy.State) {
		input := int64(7)
		settings := priceoverride.Settings{PriceList: "openai", Model: "gpt-5.1", Rates: priceoverride.Rates{Input: &input}}
		change(&settings)
		s.PriceOverrides, s.PriceOverridesVersion = []priceoverride.PriceOverride{{ID: id(50), Settings: settings}}, s.Version
	})
}

func TestMinimumCapability(t *testing.T) {
	for name, test := range map[string]struct {
		state policy.State
		want  int32
	}{
		"nothing_new":            {example(), 1},
		"a_rotated_key":          {rotated(), 2},
		"headers":                {with(func(s *policy.State) { s.Providers[1].Headers = map[string]string{"X-Team": ""} }), 2},
		"timeouts_of_a_provider": {with(func(s *policy.State) { s.Providers[1].Timeouts.FirstByteMS = 1 }), 2},
		"timeouts_of_a_route":    {with(func(s *policy.State) { s.Routes[1].Timeouts.IdleMS = 1 }), 2},
		"a_sealed_credential":    {sealed(), 3},
		"sealed_for_another":     {with(func(s *policy.State) { *s = sealed(); s.Gateway.ID = id(12) }), 1},
		"projects_of_a_route":    {with(func(s *policy.State) { s.Routes[1].AllowedProjectIDs = []uuid.UUID{id(9)} }), 2},
		"routes":                 {routed(), 3},
		"a_strategy":             {with(func(s *policy.State) { s.Routes[1].Strategy = eventv1.Strategy_STRATEGY_PRIORITY }), 3},
		"an_age":                 {with(func(s *policy.State) { s.Gateway.CredentialMaxAge = 1 }), 4},
		"plain_end_users":        {with(plain), 8},
		"no_labels": {with(func(s *policy.State) {
			s.Usage = organization.Usage{EndUsers: eventv1.EndUsers_END_USERS_HASHED}
		}), 8},
		"serving_without_records": {with(func(s *policy.State) { s.Gateway.WhenSpoolFull = eventv1.SpoolFull_SPOOL_FULL_TOMBSTONE }), 8},
		"usage_as_it_begins":      {with(func(s *policy.State) { s.Usage = organization.DefaultUsage() }), 1},
		"anthropic":               {with(func(s *policy.State) { s.Providers[1].Dialect = eventv1.Dialect_DIALECT_ANTHROPIC }), 5},
		"gemini":                  {spoken(eventv1.Dialect_DIALECT_GEMINI), 6},
		"azure_openai":            {spoken(eventv1.Dialect_DIALECT_AZURE_OPENAI), 6},
		"bedrock":                 {spoken(eventv1.Dialect_DIALECT_BEDROCK), 6},
		"vertex":                  {spoken(eventv1.Dialect_DIALECT_VERTEX), 6},
		"a_strict_route":          {with(func(s *policy.State) { s.Routes[1].Strict = true }), 6},
		"targets_of_two_dialects": {with(func(s *policy.State) {
			*s = routed()
			s.Providers[1].Dialect = eventv1.Dialect_DIALECT_ANTHROPIC
		}), 5},
		"a_strict_route_that_is_not_served": {with(func(s *policy.State) {
			s.Routes[1].Strict, s.Gateway.AllowedRegions = true, []string{"us"}
		}), 6},
		"a_further_dialect_that_is_not_served": {with(func(s *policy.State) {
			s.Providers[0].Region, s.Providers[1].Dialect, s.Gateway.AllowedRegions = "us", eventv1.Dialect_DIALECT_GEMINI, []string{"us"}
		}), 4},
		"weights_and_a_queue":        {shared(), 10},
		"a_weight_of_a_key":          {with(func(s *policy.State) { s.Keys[0].Weight = 2 }), 10},
		"a_priority":                 {with(func(s *policy.State) { s.Keys[0].Priority = eventv1.Priority_PRIORITY_BATCH }), 10},
		"a_weight_of_a_project":      {with(func(s *policy.State) { s.Projects = shared().Projects[:1] }), 10},
		"a_project_like_others":      {with(func(s *policy.State) { s.Projects = shared().Projects[1:] }), 1},
		"a_queue":                    {with(func(s *policy.State) { s.Providers[1].Queue = shared().Providers[1].Queue }), 10},
		"blocking_what_has_no_price": {with(func(s *policy.State) { s.Pricing.Unpriced = eventv1.Unpriced_UNPRICED_BLOCK }), 9},
		"tiers_places_and_images": {overridden(func(s *priceoverride.Settings) {
			s.Tiers, s.Geos = []priceoverride.Tier{{Name: "fast", Factor: priceoverride.Factor{Numerator: 6, Denominator: 1}}}, []priceoverride.Region{{Name: "us", Factor: priceoverride.Factor{Numerator: 11, Denominator: 10}}}
			s.Rates.OutputImage, s.PerImage = s.Rates.Input, s.Rates.Input
		}), 1},
		"a_price_of_a_provider": {overridden(func(s *priceoverride.Settings) { s.ProviderID = id(3) }), 9},
		"a_price_from_then_on":  {overridden(func(s *priceoverride.Settings) { s.From = day }), 9},
		"a_price_until_then":    {overridden(func(s *priceoverride.Settings) { s.Until = day }), 9},
		"a_price_per_request":   {overridden(func(s *priceoverride.Settings) { s.PerRequest = 1 }), 9},
		"a_price_by_region": {overridden(func(s *priceoverride.Settings) {
			s.Regions = []priceoverride.Region{{Name: "eu", Factor: priceoverride.Factor{Numerator: 2, Denominator: 1}}}
		}), 9},
		"a_price_beyond_a_threshold": {overridden(func(s *priceoverride.Settings) { s.Marginal, s.LongContextThreshold, s.LongRates = true, 1, s.Rates }), 9},
		"strategies_and_shares":      {strategic(), 7},
		"latency":                    {with(func(s *policy.State) { s.Routes[1].Strategy = eventv1.Strategy_STRATEGY_LATENCY }), 7},
		"least_busy":                 {with(func(s *policy.State) { s.Routes[1].Strategy = eventv1.Strategy_STRATEGY_LEAST_BUSY }), 7},
		"cheapest":                   {with(func(s *policy.State) { s.Routes[1].Strategy = eventv1.Strategy_STRATEGY_CHEAPEST }), 7},
		"sticky":                     {with(func(s *policy.State) { s.Routes[1].Strategy = eventv1.Strategy_STRATEGY_STICKY }), 7},
		"a_condition":                {with(func(s *policy.State) { s.Routes[1].Targets[0].When = "stream" }), 7},
		"a_hedge":                    {with(func(s *policy.State) { s.Routes[1].Hedge = &route.Hedge{} }), 7},
		"a_canary":                   {with(func(s *policy.State) { s.Routes[1].Canary = share(4, "new") }), 7},
		"a_shadow":                   {with(func(s *policy.State) { s.Routes[1].Shadow = share(4, "new") }), 7},
		"after_a_long_prompt":        {with(func(s *policy.State) { s.Routes[1].Retry = &route.Retry{On: []eventv1.Failure{7}} }), 7},
		"after_a_filter":             {with(func(s *policy.State) { s.Routes[1].Retry = &route.Retry{On: []eventv1.Failure{1, 8}} }), 7},
		"after_a_credential":         {with(func(s *policy.State) { s.Routes[1].Retry = &route.Retry{On: []eventv1.Failure{6}} }), 3},
		"connect_of_a_route":         {with(func(s *policy.State) { s.Routes[1].Timeouts.ConnectMS = 1 }), 7},
		"first_token_of_a_provider": {with(func(s *policy.State) {
			s.Providers[1].Timeouts.FirstTokenMS = 1
		}), 7},
		"a_canary_outside": {with(func(s *policy.State) {
			s.Routes[1].Canary, s.Gateway.AllowedRegions, s.Providers[1].Region = share(3, "new"), []string{"eu"}, "eu"
		}), 4},
		"a_retry": {with(func(s *policy.State) { s.Routes[1].Retry = &route.Retry{MaxAttempts: 2} }), 3},
	} {
		t.Run(name, func(t *testing.T) {
			if got := needs(t, test.state); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestEnumsAgree(t *testing.T) {
	if diff := cmp.Diff(eventv1.Dialect_value, policyv1.Dialect_value); diff != "" {
		t.Errorf("dialects of events and policies differ:\n%s", diff)
	}
	if diff := cmp.Diff(numbers(eventv1.StickyBy_value), numbers(policyv1.Sticky_By_value)); diff != "" {
		t.Errorf("what sticky routes look at differs in events and policies:\n%s", diff)
	}
	if diff := cmp.Diff(eventv1.EndUsers_value, policyv1.EndUsers_value); diff != "" {
		t.Errorf("how end users are named differs in events and policies:\n%s", diff)
	}
	if diff := cmp.Diff(eventv1.SpoolFull_value, policyv1.SpoolFull_value); diff != "" {
		t.Errorf("what is done when a spool is full differs in events and policies:\n%s", diff)
	}
	if diff := cmp.Diff(eventv1.Unpriced_value, policyv1.Unpriced_value); diff != "" {
		t.Errorf("what is done without a price differs in events and policies:\n%s", diff)
	}
	if diff := cmp.Diff(eventv1.Failure_value, policyv1.Failure_value); diff != "" {
		t.Errorf("failures of events and policies differ:\n%s", diff)
	}
	if diff := cmp.Diff(eventv1.Strategy_value, policyv1.Strategy_value); diff != "" {
		t.Errorf("strategies of events and policies differ:\n%s", diff)
	}
}

// numbers are by names without what the enum's name puts before them.
func numbers(values map[string]int32) map[string]int32 {
	short := map[string]int32{}
	for name, number := range values {
		_, after, _ := strings.Cut(name, "BY_")
		short[after] = number
	}
	return short
}

func TestRevocations(t *testing.T) {
	want := &policyv1.Revocations{
		OrganizationId: id(1).String(), GatewayId: id(2).String(), Version: 12,
		Revocations: []*policyv1.Revocation{
			{KeyId: id(10).String(), KeySha256: append(make([]byte, 31), 2), Version: 9},
			{KeyId: id(8).String(), KeySha256: append(make([]byte, 31), 1), Version: 12},
		},
	}
	for range 20 {
		state := example()
		shuffle(state.Keys)
		if diff := cmp.Diff(want, policy.Revocations(state), protocmp.Transform()); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestRevocationsHaveBothSecrets(t *testing.T) {
	state := rotated()
	hashes := [][]byte{state.Keys[1].SHA256, state.Keys[1].Previous.SHA256}
	want := []*policyv1.Revocation{
		{KeyId: id(10).String(), KeySha256: append(make([]byte, 31), 2), Version: 9},
		{KeyId: id(8).String(), KeySha256: hashes[0], Version: 12},
		{KeyId: id(8).String(), KeySha256: hashes[1], Version: 12},
	}
	for range 20 {
		shuffle(state.Keys)
		if diff := cmp.Diff(want, policy.Revocations(state).GetRevocations(), protocmp.Transform()); diff != "" {
			t.Fatal(diff)
		}
	}
}

// A secret whose overlap was ended is revoked alone: the key lives with another.
func TestRevocationsHaveEndedSecrets(t *testing.T) {
	state := rotated()
	state.Keys[0].RevokedAt, state.Keys[0].RevokedVersion = time.Time{}, 0
	state.Keys[0].Ended = []key.Ended{{SHA256: bytes.Repeat([]byte{5}, 32), At: day, Version: 14}}
	want := &policyv1.Revocation{KeySha256: bytes.Repeat([]byte{5}, 32), Version: 14}
	for name, before := range map[string]bool{"whole": false, "after_a_change_of_something_else": true} {
		t.Run(name, func(t *testing.T) {
			now := state
			if before {
				compiled, err := policy.CompileNext(nil, state, book())
				if err != nil {
					t.Fatal(err)
				}
				if got := compiled.Since(day.Add(24 * time.Hour)); got != state.Version {
					t.Errorf("asks for changes since %d", got)
				}
				now = compiled.WithRevoked(policy.State{OrganizationID: state.OrganizationID, Gateway: state.Gateway, Version: state.Version + 1, Since: state.Version})
			}
			set := policy.Revocations(now)
			last := set.GetRevocations()[len(set.GetRevocations())-1]
			if diff := cmp.Diff(want, last, protocmp.Transform()); diff != "" || set.GetVersion() != 14 {
				t.Errorf("version %d\n%s", set.GetVersion(), diff)
			}
		})
	}
}

func shuffle[T any](s []T) { rand.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] }) }
