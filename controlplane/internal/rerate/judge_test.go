package rerate_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/rerate"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// world has one book, "was", of one provider.
type world struct{ was *rerate.Prices }

func (w world) Prices(_ context.Context, b rerate.Book) (*rerate.Prices, error) {
	if b.String() != "was+o3" {
		return nil, nil
	}
	return w.was, nil
}

func (world) Sold(uuid.UUID, int64) (rerate.Sold, bool) {
	return rerate.Sold{List: "own", Region: "eu"}, true
}

// entry prices "m" at so many pico-dollars a token, of input and output alike.
func entry(rate int64, change func(*policyv1.PriceEntry)) *policyv1.PriceEntry {
	e := &policyv1.PriceEntry{PriceList: "own", Model: "m", Rates: &policyv1.Rates{Input: &rate, Output: &rate}}
	if change != nil {
		change(e)
	}
	return e
}

func factor(name string, numerator, denominator int64) *policyv1.RegionFactor {
	return &policyv1.RegionFactor{Region: name, Factor: &policyv1.Factor{Numerator: numerator, Denominator: denominator}}
}

var began = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	geos := func(all ...*policyv1.RegionFactor) func(*policyv1.PriceEntry) {
		return func(e *policyv1.PriceEntry) { e.GeoFactors = all }
	}
	us := geos(factor("us", 11, 10))
	for name, c := range map[string]struct {
		was, next *policyv1.PriceEntry
		tier      string
		input     int64 // 1000 where it is 0
		recorded  int64
		want      int64
		why       rerate.Reason
	}{
		// 1000 tokens at 1 µ$ are 1 m$, and so on; all costs in nano-dollars.
		"another_price": {was: entry(1_000_000, nil), next: entry(2_000_000, nil), recorded: 1_000_000, want: 2_000_000},
		"the_same":      {was: entry(1_000_000, nil), next: entry(1_000_000, nil), recorded: 1_000_000, want: 1_000_000},
		"not_so":        {was: entry(1_000_000, nil), next: entry(2_000_000, nil), recorded: 1_000_001, why: rerate.NotReproduced},
		// Where it was served is not kept, and follows from what it cost.
		"served_in_the_us":  {was: entry(1_000_000, us), next: entry(2_000_000, us), recorded: 1_100_000, want: 2_200_000},
		"served_anywhere":   {was: entry(1_000_000, us), next: entry(2_000_000, us), recorded: 1_000_000, want: 2_000_000},
		"us_has_no_price":   {was: entry(1_000_000, us), next: entry(2_000_000, nil), recorded: 1_100_000, why: rerate.NoPrice},
		"one_token_in_both": {was: entry(1_000, us), next: entry(2_000_000, us), input: 1, recorded: 1, why: rerate.Ambiguous},
		"it_costs_the_same": {was: entry(1_000_000, geos(factor("us", 1, 1))), next: entry(2_000_000, geos(factor("us", 1, 1))), recorded: 1_000_000, want: 2_000_000},
		"it_did":            {was: entry(1_000_000, geos(factor("us", 1, 1))), next: entry(2_000_000, us), recorded: 1_000_000, why: rerate.Ambiguous},
		"in_a_tier": {
			was:  entry(1_000_000, func(e *policyv1.PriceEntry) { e.ServiceTiers = batch(1, 2) }),
			next: entry(1_000_000, func(e *policyv1.PriceEntry) { e.ServiceTiers = batch(1, 4) }), tier: "batch", recorded: 500_000, want: 250_000,
		},
		"tier_without_a_price": {was: entry(1_000_000, func(e *policyv1.PriceEntry) { e.ServiceTiers = batch(1, 2) }), next: entry(1_000_000, nil), tier: "batch", recorded: 500_000, why: rerate.NoPrice},
		"in_a_region": {
			was:  entry(1_000_000, func(e *policyv1.PriceEntry) { e.RegionFactors = []*policyv1.RegionFactor{factor("eu", 2, 1)} }),
			next: entry(1_000_000, func(e *policyv1.PriceEntry) { e.RegionFactors = []*policyv1.RegionFactor{factor("eu", 3, 1)} }), recorded: 2_000_000, want: 3_000_000,
		},
		"images_apart": {was: entry(1_000_000, func(e *policyv1.PriceEntry) { e.Rates.OutputImage = proto.Int64(1) }), next: entry(2_000_000, nil), recorded: 1_000_000, why: rerate.Images},
		"by_the_image": {was: entry(1_000_000, nil), next: entry(2_000_000, func(e *policyv1.PriceEntry) { e.PerImage = proto.Int64(1) }), recorded: 1_000_000, why: rerate.Images},
		"long": {
			was: entry(1_000_000, nil),
			next: entry(1_000_000, func(e *policyv1.PriceEntry) {
				e.LongContextThreshold, e.LongRates = 999, &policyv1.Rates{Input: proto.Int64(3_000_000)}
			}), recorded: 1_000_000, want: 3_000_000,
		},
		"not_in_effect": {was: entry(1_000_000, nil), next: entry(2_000_000, func(e *policyv1.PriceEntry) { e.EffectiveFromUs = began.UnixMicro() + 1 }), recorded: 1_000_000, why: rerate.NoPrice},
		"no_longer":     {was: entry(1_000_000, func(e *policyv1.PriceEntry) { e.EffectiveUntilUs = began.UnixMicro() }), next: entry(2_000_000, nil), recorded: 1_000_000, why: rerate.NotReproduced},
	} {
		t.Run(name, func(t *testing.T) {
			if c.tier == "" {
				c.tier = "unspecified"
			}
			if c.input == 0 {
				c.input = 1000
			}
			judge := rerate.Judge{World: world{prices(t, c.was)}, By: prices(t, c.next)}
			got, why, err := judge.Cost(t.Context(), &rerate.Attempt{
				StartedAt: began, Model: "m", UsageSource: "reported", ServiceTier: c.tier, PriceBook: "was+o3",
				Usage: &usagev1.TokenUsage{Input: c.input}, RecordedNanoUSD: &c.recorded, CorrectedNanoUSD: &c.recorded,
			})
			if err != nil || got != c.want || why != c.why {
				t.Errorf("%d %q, want %d %q (%v)", got, why, c.want, c.why, err)
			}
		})
	}
}

func batch(numerator, denominator int64) []*policyv1.ServiceTierRates {
	return []*policyv1.ServiceTierRates{{Name: "batch", Factor: &policyv1.Factor{Numerator: numerator, Denominator: denominator}}}
}

func prices(t *testing.T, e *policyv1.PriceEntry) *rerate.Prices {
	t.Helper()
	p, err := rerate.NewPrices(&policyv1.PriceBook{Version: "v", Entries: []*policyv1.PriceEntry{e}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParseBook(t *testing.T) {
	for name, want := range map[string]rerate.Book{
		"builtin-2026-07.2": {Builtin: "builtin-2026-07.2"}, "builtin-2026-07.2+o77": {Builtin: "builtin-2026-07.2", Overrides: 77},
	} {
		if got, ok := rerate.ParseBook(name); !ok || got != want || got.String() != name {
			t.Errorf("%s: %+v %t", name, got, ok)
		}
	}
	for _, name := range []string{"", "+o7", "b+o", "b+o0", "b+o-1", "b+o7x"} {
		if got, ok := rerate.ParseBook(name); ok {
			t.Errorf("%q: %+v", name, got)
		}
	}
}

// Beyond the most groups, the total has all.
func TestTally_bounded(t *testing.T) {
	var tally rerate.Tally
	one, two := int64(1), int64(2)
	for i := range 3 * rerate.MostGroups {
		a := &rerate.Attempt{Model: uuid.NewSHA1(uuid.Nil, []byte{byte(i), byte(i >> 8)}).String(), Kind: "request", Last: true, CorrectedNanoUSD: &one}
		if !tally.Add(a, two, "") || tally.Add(a, two, rerate.NoPrice) {
			t.Fatal("what is corrected is not told")
		}
	}
	if len(tally.Groups) != rerate.MostGroups || tally.Total.Attempts != 6*rerate.MostGroups || tally.Total.NewNano != 9*rerate.MostGroups || tally.Total.OldNano != 6*rerate.MostGroups {
		t.Errorf("%d groups, %+v", len(tally.Groups), tally.Total)
	}
	for i, g := range tally.Groups[1:] {
		if g.Model < tally.Groups[i].Model {
			t.Fatal("they are in no order")
		}
	}
}
