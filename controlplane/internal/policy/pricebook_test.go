package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
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
	t.Run("there_never_was_one", func(t *testing.T) {
		if got := policy.PriceBook(builtin, nil, 0); got != builtin {
			t.Errorf("got %v", got)
		}
	})
	if diff := cmp.Diff(before, builtin, protocmp.Transform()); diff != "" {
		t.Errorf("the built-in book changed:\n%s", diff)
	}
}
