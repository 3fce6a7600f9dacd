package price_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Each entry has a rate of its own, in dollars per million input tokens.
func TestNamesOfBedrock(t *testing.T) {
	const sonnet, haiku = "claude-sonnet-4-5-20250929-v1:0", "claude-haiku-4-5-20251001-v1:0"
	book := &policyv1.PriceBook{Version: "v"}
	for _, e := range []struct {
		list, model string
		dollars     int64
	}{
		{"bedrock", sonnet, 3},
		{"bedrock", "us.anthropic." + sonnet, 4},
		{"bedrock", "anthropic." + haiku, 5},
		{"bedrock", "application", 6},
		{"openai", "gpt", 7},
	} {
		book.Entries = append(book.Entries, &policyv1.PriceEntry{
			PriceList: e.list, Model: e.model, Rates: &policyv1.Rates{Input: proto.Int64(e.dollars * 1_000_000)},
		})
	}
	compiled, err := price.NewBook(book)
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:bedrock:us-east-1:"
	for name, c := range map[string]struct {
		list, model string
		dollars     int64 // 0: unpriced
	}{
		"as_listed":                       {"bedrock", sonnet, 3},
		"with_its_vendor":                 {"bedrock", "anthropic." + sonnet, 3},
		"global":                          {"bedrock", "global.anthropic." + sonnet, 3},
		"foundation_model":                {"bedrock", arn + ":foundation-model/anthropic." + sonnet, 3},
		"global_profile_by_arn":           {"bedrock", arn + "123456789012:inference-profile/global.anthropic." + sonnet, 3},
		"named_profile_of_a_geography":    {"bedrock", "us.anthropic." + sonnet, 4},
		"profile_of_a_geography":          {"bedrock", "eu.anthropic." + sonnet, 0},
		"vendor_is_named":                 {"bedrock", "anthropic." + haiku, 5},
		"vendor_is_named_and_global":      {"bedrock", "global.anthropic." + haiku, 5},
		"geography_where_vendor_is_named": {"bedrock", "us.anthropic." + haiku, 0},
		"without_the_named_vendor":        {"bedrock", haiku, 0},
		"application_profile":             {"bedrock", arn + "123456789012:application-inference-profile/" + sonnet, 0},
		"unknown":                         {"bedrock", "anthropic.claude", 0},
		"another_list":                    {"openai", "openai.gpt", 0},
		"as_it_is":                        {"openai", "gpt", 7},
	} {
		t.Run(name, func(t *testing.T) {
			entry, found := compiled.Find(c.list, c.model)
			if !found {
				if c.dollars != 0 {
					t.Error("unpriced")
				}
				return
			}
			if nano, priced := entry.Cost(&usagev1.TokenUsage{Input: 1_000_000}); !priced || nano != c.dollars*1_000_000_000 {
				t.Errorf("%d nano-dollars, priced %t", nano, priced)
			}
		})
	}
}
