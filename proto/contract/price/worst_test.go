package price_test

import (
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func entryOf(t testing.TB, e *policyv1.PriceEntry) *price.Entry {
	t.Helper()
	book, err := price.NewBook(&policyv1.PriceBook{Entries: []*policyv1.PriceEntry{e}})
	if err != nil {
		t.Fatal(err)
	}
	entry, _ := book.Find(e.GetPriceList(), e.GetModel())
	return entry
}

func TestWorstCase(t *testing.T) {
	plain := &policyv1.Rates{Input: proto.Int64(2000), CacheRead: proto.Int64(200), Output: proto.Int64(8000)}
	written := &policyv1.Rates{Input: proto.Int64(2000), CacheWrite_5M: proto.Int64(2500), CacheWrite_1H: proto.Int64(4000), Output: proto.Int64(8000)}
	spoken := &policyv1.Rates{Input: proto.Int64(2000), Output: proto.Int64(8000), InputAudio: proto.Int64(40_000), OutputAudio: proto.Int64(80_000)}
	for name, c := range map[string]struct {
		entry  *policyv1.PriceEntry
		most   price.Most
		nano   int64
		priced bool
	}{
		"plain":                  {&policyv1.PriceEntry{Rates: plain}, price.Most{Input: 10, Output: 10}, 100, true},
		"cache_write":            {&policyv1.PriceEntry{Rates: written}, price.Most{Input: 10, Output: 10}, 120, true},
		"audio_where_possible":   {&policyv1.PriceEntry{Rates: spoken}, price.Most{Input: 10, Output: 10, InputAudio: true, OutputAudio: true}, 1200, true},
		"audio_only_there":       {&policyv1.PriceEntry{Rates: spoken}, price.Most{Input: 10, Output: 10}, 100, true},
		"audio_without_price":    {&policyv1.PriceEntry{Rates: plain}, price.Most{Input: 10, Output: 10, InputAudio: true}, 0, false},
		"at_the_threshold":       {&policyv1.PriceEntry{Rates: plain, LongRates: written, LongContextThreshold: 10}, price.Most{Input: 10}, 20, true},
		"beyond_the_threshold":   {&policyv1.PriceEntry{Rates: plain, LongRates: written, LongContextThreshold: 10}, price.Most{Input: 11}, 44, true},
		"long_cheaper_than_not":  {&policyv1.PriceEntry{Rates: written, LongRates: plain, LongContextThreshold: 10}, price.Most{Input: 11}, 44, true},
		"long_without_price":     {&policyv1.PriceEntry{Rates: plain, LongContextThreshold: 10}, price.Most{Input: 11}, 0, false},
		"input_without_price":    {&policyv1.PriceEntry{Rates: &policyv1.Rates{CacheWrite_5M: proto.Int64(1)}}, price.Most{Input: 1}, 0, false},
		"a_negative_bound":       {&policyv1.PriceEntry{Rates: plain}, price.Most{Input: 1, Output: -1}, 0, false},
		"more_than_fits":         {&policyv1.PriceEntry{Rates: spoken}, price.Most{Input: 1 << 62, InputAudio: true}, 0, false},
		"nothing_without_prices": {&policyv1.PriceEntry{}, price.Most{}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			nano, priced := entryOf(t, c.entry).WorstCase(c.most)
			if nano != c.nano || priced != c.priced {
				t.Errorf("%d, priced %t; want %d, %t", nano, priced, c.nano, c.priced)
			}
		})
	}
}

// TestNothingCostsMoreThanTheWorstCase: whatever the prices, however the tokens
// fall into the buckets, in whichever tier and place it is served.
func TestNothingCostsMoreThanTheWorstCase(t *testing.T) {
	compared := 0
	for range 40_000 {
		entry := entryOf(t, anyEntry())
		u := &usagev1.TokenUsage{Input: rand.Int64N(20), CacheRead: rand.Int64N(20), CacheWrite_5M: rand.Int64N(20), CacheWrite_1H: rand.Int64N(20),
			Output: rand.Int64N(20), Reasoning: rand.Int64N(20), InputImage: rand.Int64N(2), OutputImage: rand.Int64N(2)}
		most := price.Most{InputAudio: rand.IntN(2) == 0, OutputAudio: rand.IntN(2) == 0}
		if most.InputAudio {
			u.InputAudio = rand.Int64N(20)
		}
		if most.OutputAudio {
			u.OutputAudio = rand.Int64N(20)
		}
		most.Input = u.Input + u.CacheRead + u.CacheWrite_5M + u.CacheWrite_1H + u.InputAudio + u.InputImage + rand.Int64N(20)
		most.Output = u.Output + u.Reasoning + u.OutputAudio + u.OutputImage + rand.Int64N(20)
		served := price.Served{Tier: oneOf("standard", "flex", "priority", "fast"), Geo: oneOf("", "global", "us", "eu")}
		most.Tier, most.Geo = oneOf("", served.Tier), oneOf("", served.Geo)
		switch served.Tier {
		case "fast":
			most.Tier = "fast"
		case "standard":
			most.Tier = oneOf("", "standard", "flex", "priority", "scale") // all may be served so
		}
		p, priced := entry.In(served)
		if !priced {
			continue
		}
		cost, priced := p.Cost(u)
		worst, bounded := entry.WorstCase(most)
		if !priced || !bounded {
			continue
		}
		compared++
		if cost > worst {
			t.Fatalf("%v served as %+v within %+v costs %d, worst case %d", u, served, most, cost, worst)
		}
	}
	if compared < 1000 {
		t.Errorf("only %d compared", compared)
	}
}

func anyEntry() *policyv1.PriceEntry {
	rate := func() *int64 {
		if rand.IntN(6) == 0 {
			return nil
		}
		return proto.Int64(rand.Int64N(2000))
	}
	rates := func() *policyv1.Rates {
		return &policyv1.Rates{Input: rate(), CacheRead: rate(), CacheWrite_5M: rate(), CacheWrite_1H: rate(),
			Output: rate(), InputAudio: rate(), OutputAudio: rate(), InputImage: rate(), OutputImage: rate()}
	}
	some := func() *policyv1.Factor { return factor(1+rand.Int64N(30), 1+rand.Int64N(30)) }
	return &policyv1.PriceEntry{
		Rates: rates(), LongRates: rates(), LongContextThreshold: rand.Int64N(60), LongContext: policyv1.LongContext(rand.IntN(3)),
		ServiceTiers: []*policyv1.ServiceTierRates{
			{Name: "flex", Rates: rates()}, {Name: "priority", Rates: rates(), LongRates: rates()}, {Name: "fast", Factor: some()},
		},
		GeoFactors: []*policyv1.RegionFactor{{Region: "us", Factor: some()}, {Region: "eu", Factor: some()}},
		PerRequest: rand.Int64N(3000),
	}
}

func oneOf(all ...string) string { return all[rand.IntN(len(all))] }

// TestWorstCaseOfWaysToServe is of what a provider may choose by itself.
func TestWorstCaseOfWaysToServe(t *testing.T) {
	entry := entryOf(t, &policyv1.PriceEntry{
		Rates: rates(2, -1, 8),
		ServiceTiers: []*policyv1.ServiceTierRates{
			{Name: "flex", Rates: rates(1, -1, 4)}, {Name: "priority", Rates: rates(3, -1, 14)},
			{Name: "odd", Rates: rates(9, -1, -1)}, // no answer of it has a price
		},
		GeoFactors: []*policyv1.RegionFactor{{Region: "us", Factor: factor(11, 10)}},
	})
	for name, c := range map[string]struct {
		tier, geo string
		nano      int64
	}{
		"standard":        {"standard", "global", 2_000_000 + 800_000},
		"flex_or_not":     {"flex", "global", 2_000_000 + 800_000},
		"priority":        {"priority", "global", 3_000_000 + 1_400_000},
		"chosen_for_me":   {"", "global", 9_000_000},
		"of_another_list": {"scale", "global", 9_000_000},
		"in_us":           {"standard", "us", 3_080_000},
		"anywhere":        {"standard", "", 3_080_000},
	} {
		t.Run(name, func(t *testing.T) {
			if nano, priced := entry.WorstCase(price.Most{Input: 1000, Output: 100, Tier: c.tier, Geo: c.geo}); nano != c.nano || !priced {
				t.Errorf("%d, %t; want %d", nano, priced, c.nano)
			}
		})
	}
}
