package price_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func testBook(t testing.TB) *price.Book {
	t.Helper()
	book, err := price.NewBook(&policyv1.PriceBook{
		Version: "test-1",
		Entries: []*policyv1.PriceEntry{
			{
				PriceList: "openai", Model: "gpt-4o-mini", MaxOutputTokens: 16384, MaxInputTokens: 128000,
				Rates: &policyv1.Rates{Input: proto.Int64(150_000), CacheRead: proto.Int64(75_000), Output: proto.Int64(600_000)},
			},
			{
				PriceList: "gemini", Model: "tiered", LongContextThreshold: 1000,
				Rates:     &policyv1.Rates{Input: proto.Int64(1_000_000), CacheRead: proto.Int64(100_000), Output: proto.Int64(2_000_000)},
				LongRates: &policyv1.Rates{Input: proto.Int64(3_000_000), Output: proto.Int64(5_000_000)},
			},
			{PriceList: "odd", Model: "tiny", Rates: &policyv1.Rates{Input: proto.Int64(1), Output: proto.Int64(499), InputAudio: proto.Int64(1_000_000_000_000)}},
			{PriceList: "odd", Model: "free", Rates: &policyv1.Rates{Input: proto.Int64(0), Output: proto.Int64(0)}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func TestCost(t *testing.T) {
	book := testBook(t)
	for _, c := range []struct {
		name, list, model string
		usage             *usagev1.TokenUsage
		nano              int64
		priced            bool
	}{
		// 1,000 × 0.15 $/M + 500 × 0.60 $/M = 0.000150 + 0.000300 $
		{"plain", "openai", "gpt-4o-mini", &usagev1.TokenUsage{Input: 1000, Output: 500}, 450_000, true},
		// 200 × 0.15 + 800 × 0.075 + 100 × 0.60 + 400 × 0.60 = 30 + 60 + 60 + 240 µ$
		{"cached_and_reasoning", "openai", "gpt-4o-mini", &usagev1.TokenUsage{Input: 200, CacheRead: 800, Output: 100, Reasoning: 400}, 390_000, true},
		{"nothing_used", "openai", "gpt-4o-mini", &usagev1.TokenUsage{}, 0, true},
		{"nil_usage", "openai", "gpt-4o-mini", nil, 0, true},
		{"bucket_without_price", "openai", "gpt-4o-mini", &usagev1.TokenUsage{Input: 1, InputAudio: 1}, 0, false},
		{"at_the_threshold", "gemini", "tiered", &usagev1.TokenUsage{Input: 1000, Output: 1}, 1_002_000, true},
		// 1,001 × 3 $/M + 1 × 5 $/M: the whole request at the long rate
		{"above_the_threshold", "gemini", "tiered", &usagev1.TokenUsage{Input: 1001, Output: 1}, 3_008_000, true},
		{"cached_tokens_count_for_the_threshold", "gemini", "tiered", &usagev1.TokenUsage{Input: 500, CacheRead: 501}, 0, false},
		{"rounds_half_up", "odd", "tiny", &usagev1.TokenUsage{Input: 1, Output: 1}, 1, true},
		{"rounds_down_below_half", "odd", "tiny", &usagev1.TokenUsage{Output: 1}, 0, true},
		{"rounds_once_not_per_bucket", "odd", "tiny", &usagev1.TokenUsage{Output: 1, Reasoning: 2}, 1, true},
		{"free_is_priced", "odd", "free", &usagev1.TokenUsage{Input: 9, Output: 9}, 0, true},
		{"negative_count", "odd", "free", &usagev1.TokenUsage{Input: -1}, 0, false},
		{"more_than_fits", "odd", "tiny", &usagev1.TokenUsage{InputAudio: math.MaxInt64}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			entry, ok := book.Find(c.list, c.model)
			if !ok {
				t.Fatalf("%s/%s is not in the book", c.list, c.model)
			}
			nano, priced := entry.Cost(c.usage)
			if nano != c.nano || priced != c.priced {
				t.Errorf("cost %d, priced %t; want %d, %t", nano, priced, c.nano, c.priced)
			}
		})
	}
	t.Run("an_unknown_model_is_not_found", func(t *testing.T) {
		if _, ok := book.Find("openai", "gpt-4o-mini-2"); ok {
			t.Error("found a model that is not in the book")
		}
	})
	t.Run("agrees_with_big_numbers", func(t *testing.T) {
		entry, _ := book.Find("openai", "gpt-4o-mini")
		for range 2000 {
			u := &usagev1.TokenUsage{Input: rand.Int64N(1 << 40), CacheRead: rand.Int64N(1 << 40), Output: rand.Int64N(1 << 40), Reasoning: rand.Int64N(1000)}
			want := new(big.Int).SetInt64(500)
			for _, term := range [][2]int64{{u.Input, 150_000}, {u.CacheRead, 75_000}, {u.Output, 600_000}, {u.Reasoning, 600_000}} {
				want.Add(want, new(big.Int).Mul(big.NewInt(term[0]), big.NewInt(term[1])))
			}
			want.Div(want, big.NewInt(1000))
			if nano, priced := entry.Cost(u); !priced || nano != want.Int64() {
				t.Fatalf("cost of %v is %d, %t; want %s", u, nano, priced, want)
			}
		}
	})
}

func TestNewBook(t *testing.T) {
	entry := func(model string, pico int64) *policyv1.PriceEntry {
		return &policyv1.PriceEntry{PriceList: "l", Model: model, Rates: &policyv1.Rates{Input: &pico}}
	}
	for _, c := range []struct {
		name    string
		entries []*policyv1.PriceEntry
		want    string
	}{
		{"a_model_twice", []*policyv1.PriceEntry{entry("m", 1), entry("m", 2)}, "listed twice"},
		{"negative_price", []*policyv1.PriceEntry{entry("m", -1)}, "not within"},
		{"absurd_price", []*policyv1.PriceEntry{entry("m", 1_000_000_000_001)}, "not within"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := price.NewBook(&policyv1.PriceBook{Version: "v", Entries: c.entries})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func BenchmarkCost(b *testing.B) {
	entry, _ := testBook(b).Find("openai", "gpt-4o-mini")
	usage := &usagev1.TokenUsage{Input: 1234, CacheRead: 800, Output: 100, Reasoning: 400}
	b.ReportAllocs()
	for b.Loop() {
		entry.Cost(usage)
	}
}

// TestExpected is what the same tokens cost, below a long context and in it.
func TestExpected(t *testing.T) {
	book, err := price.NewBook(&policyv1.PriceBook{Version: "v", Entries: []*policyv1.PriceEntry{{PriceList: "l", Model: "m", LongContextThreshold: 1000,
		Rates: &policyv1.Rates{Input: proto.Int64(2_000_000), Output: proto.Int64(8_000_000)}, LongRates: &policyv1.Rates{Input: proto.Int64(4_000_000)}}}})
	if err != nil {
		t.Fatal(err)
	}
	entry, _ := book.Find("l", "m")
	for _, c := range []struct {
		input, output, nano int64
		priced              bool
	}{{1000, 10, 2_080_000, true}, {1001, 0, 4_004_000, true}, {1001, 10, 0, false}, {0, 0, 0, true}} {
		if nano, priced := entry.Expected(c.input, c.output); nano != c.nano || priced != c.priced {
			t.Errorf("%d and %d tokens: %d, %t", c.input, c.output, nano, priced)
		}
	}
}

func TestCacheSaved(t *testing.T) {
	book, err := price.NewBook(&policyv1.PriceBook{Version: "test-1", Entries: []*policyv1.PriceEntry{
		{
			PriceList: "anthropic", Model: "sonnet", LongContextThreshold: 1000,
			Rates:     &policyv1.Rates{Input: proto.Int64(3_000_000), CacheRead: proto.Int64(300_000), CacheWrite_5M: proto.Int64(3_750_000), CacheWrite_1H: proto.Int64(6_000_000), Output: proto.Int64(15_000_000)},
			LongRates: &policyv1.Rates{Input: proto.Int64(6_000_000), CacheRead: proto.Int64(600_000), Output: proto.Int64(22_500_000)},
		},
		{PriceList: "odd", Model: "tiny", Rates: &policyv1.Rates{Input: proto.Int64(500), CacheRead: proto.Int64(499)}},
		{PriceList: "odd", Model: "cache_only", Rates: &policyv1.Rates{CacheRead: proto.Int64(499)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		list, model string
		usage       *usagev1.TokenUsage
		nano        int64
		ok          bool
	}{
		// 800 × (3 - 0.3) $/M
		"read": {"anthropic", "sonnet", &usagev1.TokenUsage{Input: 100, CacheRead: 800, Output: 7}, 2_160_000, true},
		// 100 × (3 - 3.75) + 10 × (3 - 6) $/M
		"written":          {"anthropic", "sonnet", &usagev1.TokenUsage{CacheWrite_5M: 100, CacheWrite_1H: 10}, -105_000, true},
		"at_the_long_rate": {"anthropic", "sonnet", &usagev1.TokenUsage{Input: 1, CacheRead: 1000}, 5_400_000, true},
		"no_cache":         {"anthropic", "sonnet", &usagev1.TokenUsage{Input: 100, Output: 7}, 0, false},
		"nothing_used":     {"anthropic", "sonnet", nil, 0, false},
		"unpriced":         {"anthropic", "sonnet", &usagev1.TokenUsage{CacheWrite_5M: 2000}, 0, false},
		"plain_unpriced":   {"odd", "cache_only", &usagev1.TokenUsage{CacheRead: 1}, 0, false},
		// 0.5 nano-dollars round up, 0.499 down
		"what_it_costs_less": {"odd", "tiny", &usagev1.TokenUsage{CacheRead: 1}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			entry, _ := book.Find(c.list, c.model)
			if nano, ok := entry.CacheSaved(c.usage); nano != c.nano && c.ok || ok != c.ok {
				t.Errorf("saved %d, %t; want %d, %t", nano, ok, c.nano, c.ok)
			}
		})
	}
}
