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

func TestParse(t *testing.T) {
	const header = "provider,model,mode,input,output,cache_read,cache_write,cache_write_1h,input_audio,output_audio,long_context_threshold,long_input,long_output,long_cache_read,long_cache_write,long_cache_write_1h,max_input_tokens,max_output_tokens\n"
	for _, c := range []struct{ name, csv, want string }{
		{"empty", "", "empty"},
		{"missing_column", "provider,model\np,m\n", "no column"},
		{"not_a_price", header + "p,m,chat,cheap,,,,,,,,,,,,,,\n", `line 2: input: "cheap"`},
		{"finer_than_a_pico_dollar", header + "p,m,chat,0.0000001,,,,,,,,,,,,,,\n", "whole number of pico-dollars"},
		{"not_a_count", header + "p,m,chat,1,,,,,,,,,,,,,many,\n", "max_input_tokens"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse("v", strings.NewReader(c.csv))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
