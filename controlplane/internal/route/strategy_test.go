package route_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// TestRefusedFields: a person is told which field is wrong.
func TestRefusedFields(t *testing.T) {
	stuck := func(s *route.Settings, change func(*route.Sticky)) {
		s.Strategy, s.Sticky = sticky, &route.Sticky{By: byHeader, Header: "X-Session"}
		change(s.Sticky)
	}
	hedged := func(s *route.Settings, h route.Hedge) {
		s.Strategy, s.Targets, s.Hedge = priority, append(s.Targets, route.Target{ProviderID: known, Model: "gpt-5-mini"}), &h
	}
	mini := route.Target{ProviderID: known, Model: "gpt-5-mini"}
	for name, test := range map[string]struct {
		field  string
		change func(*route.Settings)
	}{
		"nothing_to_stick_to":    {"sticky", func(s *route.Settings) { s.Strategy = sticky }},
		"sticky_by_priority":     {"sticky", func(s *route.Settings) { stuck(s, func(*route.Sticky) { s.Strategy = priority }) }},
		"no_likeness":            {"sticky.by", func(s *route.Settings) { stuck(s, func(by *route.Sticky) { by.By = 0 }) }},
		"unknown_likeness":       {"sticky.by", func(s *route.Settings) { stuck(s, func(by *route.Sticky) { by.By = 5 }) }},
		"no_header":              {"sticky.header", func(s *route.Settings) { stuck(s, func(by *route.Sticky) { by.Header = "" }) }},
		"header_of_keys":         {"sticky.header", func(s *route.Settings) { stuck(s, func(by *route.Sticky) { by.By = eventv1.StickyBy_STICKY_BY_KEY }) }},
		"bad_header":             {"sticky.header", func(s *route.Settings) { stuck(s, func(by *route.Sticky) { by.Header = "X Session" }) }},
		"credential":             {"sticky.header", func(s *route.Settings) { stuck(s, func(by *route.Sticky) { by.Header = "x-api-key" }) }},
		"cookie":                 {"sticky.header", func(s *route.Settings) { stuck(s, func(by *route.Sticky) { by.Header = "COOKIE" }) }},
		"fewer_tokens_than_none": {"sticky.min_tokens", func(s *route.Settings) { stuck(s, func(by *route.Sticky) { by.MinTokens = -1 }) }},
		"never_broken_even":      {"sticky.break_even_percent", func(s *route.Settings) { stuck(s, func(by *route.Sticky) { by.BreakEvenPercent = 10_001 }) }},
		"hedge_of_one":           {"hedge", func(s *route.Settings) { s.Strategy, s.Hedge = priority, &route.Hedge{} }},
		"hedge_beyond_attempts": {"hedge", func(s *route.Settings) {
			hedged(s, route.Hedge{})
			s.Retry = &route.Retry{MaxAttempts: 1}
		}},
		"low_percentile":    {"hedge.percentile", func(s *route.Settings) { hedged(s, route.Hedge{Percentile: 49}) }},
		"high_percentile":   {"hedge.percentile", func(s *route.Settings) { hedged(s, route.Hedge{Percentile: 100}) }},
		"late_hedge":        {"hedge.min_delay", func(s *route.Settings) { hedged(s, route.Hedge{MinMS: 600_001}) }},
		"many_hedges":       {"hedge.max_percent", func(s *route.Settings) { hedged(s, route.Hedge{MaxPercent: 51}) }},
		"canary_of_targets": {"canary.target", func(s *route.Settings) { s.Canary = &route.Share{Target: s.Targets[0], PerMille: 1} }},
		"no_share":          {"canary.per_mille", func(s *route.Settings) { s.Canary = &route.Share{Target: mini} }},
		"large_share":       {"shadow.per_mille", func(s *route.Settings) { s.Shadow = &route.Share{Target: mini, PerMille: 1001} }},
		"weight_of_a_canary": {"canary.target.weight", func(s *route.Settings) {
			s.Canary = &route.Share{Target: mini, PerMille: 1}
			s.Canary.Target.Weight = 1
		}},
		"condition_of_a_shadow": {"shadow.target.when", func(s *route.Settings) {
			s.Shadow = &route.Share{Target: mini, PerMille: 1}
			s.Shadow.Target.When = "stream"
		}},
		"bad_condition": {"targets[0].when", func(s *route.Settings) { s.Targets[0].When = "tokens >" }},
		"no_condition":  {"targets[0].when", func(s *route.Settings) { s.Targets[0].When = "tokens" }},
		"no_zone":       {"targets[0].when", func(s *route.Settings) { s.Targets[0].When = `now.getHours("Berlin") < 8` }},
		"long_connect":  {"timeouts.connect", func(s *route.Settings) { s.Timeouts = timeouts.Timeouts{ConnectMS: 3_600_001} }},
		"first_token_after_all": {"timeouts.first_token", func(s *route.Settings) {
			s.Timeouts = timeouts.Timeouts{FirstTokenMS: 2, TotalMS: 1}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			settings, world := given()
			test.change(&settings)
			_, err := route.Create(uuid.New(), settings, world)
			var refusal *fault.Error
			if !errors.As(err, &refusal) || refusal.Kind != fault.Invalid || len(refusal.Violations) != 1 || refusal.Violations[0].Field != test.field {
				t.Errorf("got %v, want a fault of %s", err, test.field)
			}
		})
	}
}

// A canary and a shadow stand on providers as targets do.
func TestSharesOfUnknownProviders(t *testing.T) {
	for name, change := range map[string]func(*route.Settings, *route.Share){
		"canary": func(s *route.Settings, share *route.Share) { s.Canary = share },
		"shadow": func(s *route.Settings, share *route.Share) { s.Shadow = share },
	} {
		settings, world := given()
		change(&settings, &route.Share{Target: route.Target{ProviderID: unknown, Model: "gpt-5"}, PerMille: 1})
		if _, err := route.Create(uuid.New(), settings, world); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s at an unknown provider: %v", name, err)
		}
		settings, world = given()
		change(&settings, &route.Share{Target: route.Target{ProviderID: known, Model: "gpt-4"}, PerMille: 1})
		if _, err := route.Create(uuid.New(), settings, world); !fault.Is(err, fault.Precondition) {
			t.Errorf("%s of a model that is not allowed: %v", name, err)
		}
	}
}

// A header's name has one form, however it is written.
func TestStickyHeaderIsCanonical(t *testing.T) {
	settings, world := given()
	settings.Strategy, settings.Sticky = sticky, &route.Sticky{By: byHeader, Header: "x-session-ID"}
	changes, err := route.Create(uuid.New(), settings, world)
	if err != nil {
		t.Fatal(err)
	}
	if got := changes[0].Body.(*eventv1.RouteCreated).GetSticky().GetHeader(); got != "X-Session-Id" || settings.Sticky.Header != "x-session-ID" {
		t.Errorf("got %q, and the caller's is %q", got, settings.Sticky.Header)
	}
}
