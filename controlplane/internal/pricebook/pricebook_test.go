package pricebook

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/proto/contract/price"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestBuiltin(t *testing.T) {
	published, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	book, err := price.NewBook(published)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, list, model string
		usage             *usagev1.TokenUsage
		nano              int64
	}{
		// 1 M × 0.15 $ + 1 M × 0.60 $
		{"gpt_4o_mini", "openai", "gpt-4o-mini", &usagev1.TokenUsage{Input: 1e6, Output: 1e6}, 750_000_000},
		// 100 × 3 + 200 × 0.30 + 300 × 3.75 + 400 × 6 + 500 × 15 $/M
		{"claude_4_sonnet", "anthropic", "claude-4-sonnet-20250514", &usagev1.TokenUsage{Input: 100, CacheRead: 200, CacheWrite_5M: 300, CacheWrite_1H: 400, Output: 500}, 11_385_000},
		// above 200,000 input tokens: 6 and 22.5 $/M
		{"claude_4_sonnet_long", "anthropic", "claude-4-sonnet-20250514", &usagev1.TokenUsage{Input: 200_001, Output: 10}, 1_200_231_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			entry, ok := book.Find(c.list, c.model)
			if !ok {
				t.Fatal("not in the book")
			}
			if nano, priced := entry.Cost(c.usage); !priced || nano != c.nano {
				t.Errorf("cost %d, priced %t; want %d", nano, priced, c.nano)
			}
		})
	}
}

// TestBuiltinWaysToServe: tiers and places of the lists, by hand.
func TestBuiltinWaysToServe(t *testing.T) {
	published, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	book, err := price.NewBook(published)
	if err != nil {
		t.Fatal(err)
	}
	text := &usagev1.TokenUsage{Input: 1e6, Output: 1e6}
	for name, c := range map[string]struct {
		list, model string
		served      price.Served
		usage       *usagev1.TokenUsage
		nano        int64 // -1: unpriced
	}{
		"priority":        {"openai", "gpt-4o", price.Served{Tier: "priority"}, text, 21_250_000_000}, // 4.25 + 17
		"flex":            {"openai", "gpt-5", price.Served{Tier: "flex"}, text, 5_625_000_000},       // 0.625 + 5
		"batch":           {"gemini", "gemini-3.6-flash", price.Served{Tier: "batch"}, text, 4_500_000_000},
		"not_sold":        {"openai", "gpt-5", price.Served{Tier: "scale"}, text, -1},
		"half_a_price":    {"openai", "gpt-5-nano", price.Served{Tier: "priority"}, text, -1},
		"cached_in_tier":  {"openai", "gpt-5", price.Served{Tier: "flex"}, &usagev1.TokenUsage{CacheRead: 1}, -1},
		"fast":            {"anthropic", "claude-opus-4-6", price.Served{Tier: "fast"}, text, 180_000_000_000}, // 6 × (5 + 25)
		"fast_cached":     {"anthropic", "claude-opus-4-8", price.Served{Tier: "fast"}, &usagev1.TokenUsage{CacheRead: 1e6, CacheWrite_1H: 1e6}, 21_000_000_000},
		"fast_in_us":      {"anthropic", "claude-opus-5", price.Served{Tier: "fast", Geo: "us"}, text, 66_000_000_000}, // 2 × 1.1 × 30
		"in_us":           {"anthropic", "claude-sonnet-4-6", price.Served{Geo: "us"}, text, 19_800_000_000},
		"older_in_us":     {"anthropic", "claude-opus-4-5", price.Served{Geo: "us"}, text, -1},
		"older_fast":      {"anthropic", "claude-opus-4-5", price.Served{Tier: "fast"}, text, -1},
		"priority_of_old": {"anthropic", "claude-opus-4-6", price.Served{Tier: "priority"}, text, -1},
		"alias":           {"anthropic", "claude-opus-4-0", price.Served{}, text, 90_000_000_000},
		"alias_of_o1":     {"openai", "openai/o1", price.Served{}, text, 75_000_000_000},
		"dated":           {"anthropic", "claude-opus-4-8-20260601", price.Served{}, text, 30_000_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			entry, ok := book.Find(c.list, c.model)
			if !ok {
				t.Fatal("not in the book")
			}
			nano := int64(-1)
			if p, sold := entry.In(c.served); sold {
				if cost, priced := p.Cost(c.usage); priced {
					nano = cost
				}
			}
			if nano != c.nano {
				t.Errorf("%d, want %d", nano, c.nano)
			}
		})
	}
}

func TestParse(t *testing.T) {
	const header = "provider,model,mode,input,output,cache_read,cache_write,cache_write_1h,input_audio,output_audio,long_context_threshold,long_input,long_output,long_cache_read,long_cache_write,long_cache_write_1h,max_input_tokens,max_output_tokens,batch_input,batch_output,flex_input,flex_output,priority_input,priority_output\n"
	const factorHeader, aliasHeader = "provider,model,kind,name,numerator,denominator\n", "provider,alias,model\n"
	line := func(input, maxInput string) string {
		return header + "p,m,chat," + input + ",,,,,,,,,,,,," + maxInput + ",,,,,,,\n"
	}
	for _, c := range []struct{ name, csv, factors, aliases, want string }{
		{"empty", "", "", "", "empty"},
		{"missing_column", "provider,model\np,m\n", "", "", "no column"},
		{"not_a_price", line("cheap", ""), "", "", `line 2: input: "cheap"`},
		{"finer_than_a_pico_dollar", line("0.0000001", ""), "", "", "whole number of pico-dollars"},
		{"not_a_count", line("1", "many"), "", "", "max_input_tokens"},
		{"factor_of_nothing", line("1", ""), factorHeader + "p,n,geo,us,1,2\n", aliasHeader, "factors: line 2: the book has no p/n"},
		{"factor_of_what", line("1", ""), factorHeader + "p,m,moon,us,1,2\n", aliasHeader, "unknown kind"},
		{"alias_of_nothing", line("1", ""), factorHeader, aliasHeader + "p,a,n\n", "aliases: line 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse("v", strings.NewReader(c.csv), strings.NewReader(c.factors), strings.NewReader(c.aliases))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
