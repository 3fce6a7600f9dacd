package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestPriceBook(t *testing.T) {
	builtin := book()
	builtin.Entries[0].MaxOutputTokens = 4096
	builtin.Entries[0].LongContextThreshold = 200_000
	builtin.Entries[0].LongRates = &policyv1.Rates{Input: proto.Int64(9)}
	before := proto.CloneOf(builtin)
	override := func(list, model string, input int64) priceoverride.PriceOverride {
		return priceoverride.PriceOverride{Settings: priceoverride.Settings{
			PriceList: list, Model: model, Rates: priceoverride.Rates{Input: &input},
		}}
	}
	overrides := []priceoverride.PriceOverride{override("own", "b", 2), override("own", "a", 1), override("openai", "gpt-5.1", 0)}
	want := &policyv1.PriceBook{Version: "2026-07+o17", Entries: []*policyv1.PriceEntry{
		{PriceList: "openai", Model: "gpt-5.1", Rates: &policyv1.Rates{Input: proto.Int64(0)}, MaxOutputTokens: 4096},
		{PriceList: "own", Model: "a", Rates: &policyv1.Rates{Input: proto.Int64(1)}},
		{PriceList: "own", Model: "b", Rates: &policyv1.Rates{Input: proto.Int64(2)}},
	}}
	for range 20 {
		shuffle(overrides)
		if diff := cmp.Diff(want, policy.PriceBook(builtin, overrides, 17), protocmp.Transform()); diff != "" {
			t.Fatal(diff)
		}
	}
	t.Run("after_the_last_was_archived", func(t *testing.T) {
		got := policy.PriceBook(builtin, nil, 20)
		if diff := cmp.Diff(builtin.Entries, got.Entries, protocmp.Transform()); diff != "" || got.Version != "2026-07+o20" {
			t.Errorf("%s %s", got.Version, diff)
		}
	})
	t.Run("for_a_provider_and_a_time", func(t *testing.T) {
		provider := uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ab")
		from, until := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
		with := func(input int64, change func(*priceoverride.Settings)) priceoverride.PriceOverride {
			o := override("openai", "gpt-5.1", input)
			change(&o.Settings)
			return o
		}
		overrides := []priceoverride.PriceOverride{
			with(1, func(s *priceoverride.Settings) { s.ProviderID = provider }),
			with(2, func(s *priceoverride.Settings) { s.From, s.Until = from, until }),
			with(3, func(s *priceoverride.Settings) { s.Until = from.AddDate(0, -1, 0) }),
			with(4, func(s *priceoverride.Settings) {
				s.Tiers = []priceoverride.Tier{{Name: "fast", Factor: priceoverride.Factor{Numerator: 6, Denominator: 1}}}
				s.PriceList, s.Marginal, s.PerRequest = "own", true, 7
			}),
		}
		for range 20 {
			shuffle(overrides)
			got := policy.PriceBook(builtin, overrides, 9)
			compiled, err := price.NewBook(got)
			if err != nil {
				t.Fatal(err)
			}
			for name, c := range map[string]struct {
				query price.Query
				at    time.Time
				nano  int64
			}{
				"built_in":       {price.Query{List: "openai", Model: "gpt-5.1"}, until, 1_250_000},
				"of_the_time":    {price.Query{List: "openai", Model: "gpt-5.1"}, from, 2},
				"until_then":     {price.Query{List: "openai", Model: "gpt-5.1"}, from.AddDate(-1, 0, 0), 3},
				"between":        {price.Query{List: "openai", Model: "gpt-5.1"}, from.Add(-time.Hour), 1_250_000},
				"of_a_provider":  {price.Query{List: "openai", Model: "gpt-5.1", ProviderID: provider.String()}, from, 1},
				"of_another_one": {price.Query{List: "openai", Model: "gpt-5.1", ProviderID: "p"}, from, 2},
			} {
				if nano, priced := compiled.Lookup(c.query).At(c.at).Cost(&usagev1.TokenUsage{Input: 1000}); nano != c.nano || !priced {
					t.Errorf("%s costs %d, priced %t; want %d", name, nano, priced, c.nano)
				}
			}
			own, _ := compiled.Find("own", "gpt-5.1")
			if p, sold := own.In(price.Served{Tier: "fast"}); !sold {
				t.Error("no fast tier")
			} else if nano, _ := p.Cost(&usagev1.TokenUsage{Input: 1_000_000}); nano != 24_000 {
				t.Errorf("fast costs %d", nano)
			}
		}
	})
	t.Run("there_never_was_one", func(t *testing.T) {
		if got := policy.PriceBook(builtin, nil, 0); got != builtin {
			t.Errorf("got %v", got)
		}
	})
	if diff := cmp.Diff(before, builtin, protocmp.Transform()); diff != "" {
		t.Errorf("the built-in book changed:\n%s", diff)
	}
}
