package price_test

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// rates are dollars per million tokens.
func rates(input, cached, output int64) *policyv1.Rates {
	r := &policyv1.Rates{}
	for _, bucket := range []struct {
		dollars int64
		rate    **int64
	}{{input, &r.Input}, {cached, &r.CacheRead}, {output, &r.Output}} {
		if bucket.dollars >= 0 {
			*bucket.rate = proto.Int64(bucket.dollars * 1_000_000)
		}
	}
	return r
}

func factor(over, under int64) *policyv1.Factor {
	return &policyv1.Factor{Numerator: over, Denominator: under}
}

func TestTier(t *testing.T) {
	for said, want := range map[string]string{
		"": "", "auto": "", "unspecified": "", "SERVICE_TIER_UNSPECIFIED": "",
		"default": "standard", "standard": "standard", "STANDARD": "standard", "standard_only": "standard", "on_demand": "standard", "SERVICE_TIER_STANDARD": "standard",
		"flex": "flex", "FLEX": "flex", "priority": "priority", "SERVICE_TIER_PRIORITY": "priority", "batch": "batch", "fast": "fast",
		"scale": "scale", "reserved": "reserved", "ultrafast": "ultrafast",
	} {
		if got := price.Tier(said); got != want {
			t.Errorf("%q is %q, want %q", said, got, want)
		}
	}
}

func TestCostOfWaysToServe(t *testing.T) {
	entry := entryOf(t, &policyv1.PriceEntry{
		Rates: rates(2, 1, 8), LongContextThreshold: 1000, LongRates: rates(4, -1, 12),
		ServiceTiers: []*policyv1.ServiceTierRates{
			{Name: "flex", Rates: rates(1, -1, 4)},
			{Name: "priority", Rates: rates(3, 2, 14), LongRates: rates(6, -1, 20)},
			{Name: "fast", Factor: factor(6, 1)},
		},
		GeoFactors: []*policyv1.RegionFactor{{Region: "us", Factor: factor(11, 10)}},
	})
	for name, c := range map[string]struct {
		served price.Served
		usage  *usagev1.TokenUsage
		nano   int64
		priced bool
	}{
		// 100 × 2 + 10 × 8 = 280 µ$
		"nothing_said": {price.Served{}, &usagev1.TokenUsage{Input: 100, Output: 10}, 280_000, true},
		"standard":     {price.Served{Tier: "standard", Geo: "global"}, &usagev1.TokenUsage{Input: 100, Output: 10}, 280_000, true},
		// 100 × 1 + 10 × 4
		"flex": {price.Served{Tier: "flex"}, &usagev1.TokenUsage{Input: 100, Output: 10}, 140_000, true},
		// the list has no price for cached tokens of this tier
		"flex_cached": {price.Served{Tier: "flex"}, &usagev1.TokenUsage{Input: 100, CacheRead: 1, Output: 10}, 0, false},
		"flex_long":   {price.Served{Tier: "flex"}, &usagev1.TokenUsage{Input: 1001}, 0, false},
		// 100 × 3 + 50 × 2 + 10 × 14
		"priority": {price.Served{Tier: "priority"}, &usagev1.TokenUsage{Input: 100, CacheRead: 50, Output: 10}, 540_000, true},
		// 1001 × 6 + 10 × 20
		"priority_long": {price.Served{Tier: "priority"}, &usagev1.TokenUsage{Input: 1001, Output: 10}, 6_206_000, true},
		// 6 × (100 × 2 + 50 × 1 + 10 × 8)
		"fast": {price.Served{Tier: "fast"}, &usagev1.TokenUsage{Input: 100, CacheRead: 50, Output: 10}, 1_980_000, true},
		// 6 × 1001 × 4
		"fast_long":    {price.Served{Tier: "fast"}, &usagev1.TokenUsage{Input: 1001}, 24_024_000, true},
		"unknown_tier": {price.Served{Tier: "scale"}, &usagev1.TokenUsage{Input: 100}, 0, false},
		// 280 µ$ × 11/10
		"us":            {price.Served{Geo: "us"}, &usagev1.TokenUsage{Input: 100, Output: 10}, 308_000, true},
		"fast_in_us":    {price.Served{Tier: "fast", Geo: "us"}, &usagev1.TokenUsage{Input: 100, Output: 10}, 1_848_000, true},
		"unknown_place": {price.Served{Geo: "eu"}, &usagev1.TokenUsage{Input: 100}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			var nano int64
			p, priced := entry.In(c.served)
			if priced {
				nano, priced = p.Cost(c.usage)
			}
			if nano != c.nano || priced != c.priced {
				t.Errorf("%d, priced %t; want %d, %t", nano, priced, c.nano, c.priced)
			}
		})
	}
	t.Run("a_cache_saves_at_the_price_of_the_tier", func(t *testing.T) {
		p, _ := entry.In(price.Served{Tier: "fast"})
		// 6 × 50 × (2 - 1)
		if nano, ok := p.CacheSaved(&usagev1.TokenUsage{CacheRead: 50}); !ok || nano != 300_000 {
			t.Errorf("saved %d, %t", nano, ok)
		}
	})
}

// TestFactorsRoundOnce: whatever the factors, the cost is the exact sum, rounded half up.
func TestFactorsRoundOnce(t *testing.T) {
	few := func() int64 { return 1 + rand.Int64N(1000) }
	for range 5000 {
		e := &policyv1.PriceEntry{
			Rates:         &policyv1.Rates{Input: proto.Int64(rand.Int64N(1e12)), Output: proto.Int64(rand.Int64N(50))},
			ServiceTiers:  []*policyv1.ServiceTierRates{{Name: "fast", Factor: factor(few(), few())}},
			GeoFactors:    []*policyv1.RegionFactor{{Region: "us", Factor: factor(few(), few())}},
			RegionFactors: []*policyv1.RegionFactor{{Region: "here", Factor: factor(few(), few())}},
			PerRequest:    rand.Int64N(1e9),
		}
		u := &usagev1.TokenUsage{Input: rand.Int64N(1 << rand.IntN(50)), Output: rand.Int64N(1000)}
		book, err := price.NewBook(&policyv1.PriceBook{Entries: []*policyv1.PriceEntry{e}})
		if err != nil {
			t.Fatal(err)
		}
		p, _ := book.Lookup(price.Query{Region: "here"}).At(anyTime).In(price.Served{Tier: "fast", Geo: "us"})
		got, priced := p.Cost(u)

		exact := new(big.Rat).SetInt(new(big.Int).Add(
			new(big.Int).Mul(big.NewInt(u.Input), big.NewInt(e.Rates.GetInput())),
			new(big.Int).Mul(big.NewInt(u.Output), big.NewInt(e.Rates.GetOutput()))))
		for _, f := range []*policyv1.Factor{e.ServiceTiers[0].Factor, e.GeoFactors[0].Factor, e.RegionFactors[0].Factor} {
			exact.Mul(exact, big.NewRat(f.Numerator, f.Denominator))
		}
		exact.Add(exact, new(big.Rat).SetInt64(e.PerRequest))
		exact.Mul(exact, big.NewRat(1, 1000))
		exact.Add(exact, big.NewRat(1, 2))
		want := new(big.Int).Div(exact.Num(), exact.Denom())
		if priced != want.IsInt64() || priced && got != want.Int64() {
			t.Fatalf("%v at %v: %d, priced %t; want %s", u, e, got, priced, want)
		}
	}
}

func TestEntriesThatAreNone(t *testing.T) {
	tiers := func(all ...*policyv1.ServiceTierRates) *policyv1.PriceEntry {
		return &policyv1.PriceEntry{ServiceTiers: all}
	}
	regions := func(all ...*policyv1.RegionFactor) *policyv1.PriceEntry {
		return &policyv1.PriceEntry{RegionFactors: all}
	}
	for name, c := range map[string]struct {
		entry *policyv1.PriceEntry
		want  string
	}{
		"standard_tier":         {tiers(&policyv1.ServiceTierRates{Name: "standard"}), "is called"},
		"tier_by_another_name":  {tiers(&policyv1.ServiceTierRates{Name: "SERVICE_TIER_FLEX"}), "is called"},
		"tier_without_name":     {tiers(&policyv1.ServiceTierRates{}), "is called"},
		"tier_twice":            {tiers(&policyv1.ServiceTierRates{Name: "flex"}, &policyv1.ServiceTierRates{Name: "flex"}), "twice"},
		"tier_of_both":          {tiers(&policyv1.ServiceTierRates{Name: "flex", Rates: rates(1, 1, 1), Factor: factor(1, 2)}), "factor and rates"},
		"factor_of_0":           {tiers(&policyv1.ServiceTierRates{Name: "flex", Factor: factor(0, 1)}), "within 1"},
		"factor_too_fine":       {tiers(&policyv1.ServiceTierRates{Name: "flex", Factor: factor(1, 1001)}), "within 1"},
		"absurd_rate_of_a_tier": {tiers(&policyv1.ServiceTierRates{Name: "flex", Rates: &policyv1.Rates{InputImage: proto.Int64(-1)}}), "not within"},
		"region_twice":          {regions(&policyv1.RegionFactor{Region: "a", Factor: factor(1, 1)}, &policyv1.RegionFactor{Region: "a", Factor: factor(2, 1)}), "twice"},
		"region_without_name":   {regions(&policyv1.RegionFactor{Factor: factor(1, 1)}), "no name"},
		"region_without_factor": {regions(&policyv1.RegionFactor{Region: "a"}), "within 1"},
		"negative_request":      {&policyv1.PriceEntry{PerRequest: -1}, "per request"},
		"negative_image":        {&policyv1.PriceEntry{PerImage: proto.Int64(-1)}, "per image"},
		"over_before_it_begins": {&policyv1.PriceEntry{EffectiveFromUs: 5, EffectiveUntilUs: 5}, "in effect"},
		"unknown_long_context":  {&policyv1.PriceEntry{LongContext: 3}, "long context"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := price.NewBook(&policyv1.PriceBook{Entries: []*policyv1.PriceEntry{c.entry}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestLongContextBeyondTheThreshold(t *testing.T) {
	entry := entryOf(t, &policyv1.PriceEntry{
		Rates: &policyv1.Rates{Input: proto.Int64(2_000_000), CacheRead: proto.Int64(1_000_000), CacheWrite_5M: proto.Int64(3_000_000), Output: proto.Int64(8_000_000)},
		// what no request is to be priced by here has no price
		LongRates:            &policyv1.Rates{Input: proto.Int64(4_000_000), CacheWrite_5M: proto.Int64(6_000_000)},
		LongContextThreshold: 1000, LongContext: policyv1.LongContext_LONG_CONTEXT_MARGINAL,
	})
	for name, c := range map[string]struct {
		usage  *usagev1.TokenUsage
		nano   int64
		priced bool
	}{
		"at_the_threshold": {&usagev1.TokenUsage{Input: 1000, Output: 10}, 2_080_000, true},
		// 1000 × 2 + 500 × 4 + 10 × 8
		"beyond": {&usagev1.TokenUsage{Input: 1500, Output: 10}, 4_080_000, true},
		// 900 × 1 + 100 × 2 + 300 × 4: the cache has the beginning
		"cached_first": {&usagev1.TokenUsage{Input: 400, CacheRead: 900}, 2_300_000, true},
		// 900 × 1 + 100 × 3 + 200 × 6 + 10 × 4
		"then_written":          {&usagev1.TokenUsage{Input: 10, CacheRead: 900, CacheWrite_5M: 300}, 2_440_000, true},
		"cached_without_a_rate": {&usagev1.TokenUsage{CacheRead: 1001}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if nano, priced := entry.Cost(c.usage); nano != c.nano || priced != c.priced {
				t.Errorf("%d, priced %t; want %d, %t", nano, priced, c.nano, c.priced)
			}
		})
	}
}

func TestPricesBesideTokens(t *testing.T) {
	flat := &policyv1.PriceEntry{Rates: rates(1, -1, 2), PerRequest: 5_000_000_000}
	drawn := &policyv1.PriceEntry{Rates: &policyv1.Rates{InputImage: proto.Int64(10_000_000), OutputImage: proto.Int64(40_000_000), Input: proto.Int64(5_000_000)}}
	each := &policyv1.PriceEntry{PerImage: proto.Int64(40_000_000_000), RegionFactors: []*policyv1.RegionFactor{{Region: "here", Factor: factor(2, 1)}}}
	for name, c := range map[string]struct {
		entry  *policyv1.PriceEntry
		usage  *usagev1.TokenUsage
		nano   int64
		priced bool
	}{
		// 0.005 $ + 100 × 1 $/M
		"request": {flat, &usagev1.TokenUsage{Input: 100}, 5_100_000, true},
		// 5 × 5 + 7 × 10 + 20 × 40 µ$; that they are one image says nothing more
		"image_tokens":         {drawn, &usagev1.TokenUsage{Input: 5, InputImage: 7, OutputImage: 20, Images: 1}, 895_000, true},
		"image_tokens_unknown": {flat, &usagev1.TokenUsage{Input: 5, OutputImage: 20}, 0, false},
		"images":               {each, &usagev1.TokenUsage{Images: 3}, 120_000_000, true},
		"images_unknown":       {flat, &usagev1.TokenUsage{Images: 3}, 0, false},
		"fewer_than_none":      {each, &usagev1.TokenUsage{Images: -1}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if nano, priced := entryOf(t, c.entry).Cost(c.usage); nano != c.nano || priced != c.priced {
				t.Errorf("%d, priced %t; want %d, %t", nano, priced, c.nano, c.priced)
			}
		})
	}
}
