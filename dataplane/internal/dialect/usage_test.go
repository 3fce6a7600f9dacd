package dialect_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/metered"
	"github.com/weirhq/weir/proto/contract/price"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// TestUsageAsProvidersTellIt: each answer's usage in disjoint buckets, its tier and place. What
// that costs is shown by the same file where prices are computed.
func TestUsageAsProvidersTellIt(t *testing.T) {
	text, err := os.ReadFile("../../../proto/contract/price/testdata/usage.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct {
			Name, Reads   string
			Answer, Usage json.RawMessage
			Served        struct{ Tier, Geo string }
			Unpriced      bool
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	readers := map[string]func([]byte) dialect.Answer{
		"openai":       func(body []byte) dialect.Answer { return openai.ParseAnswer(body).Answer },
		"openai_image": metered.Images{}.Answer,
		"anthropic":    anthropic.ParseAnswer,
		"gemini":       gemini.ParseAnswer,
		"bedrock":      readBedrock,
	}
	for _, c := range golden.Cases {
		t.Run(c.Name, func(t *testing.T) {
			want := &usagev1.TokenUsage{}
			if err := protojson.Unmarshal(c.Usage, want); err != nil {
				t.Fatal(err)
			}
			got := readers[c.Reads](c.Answer)
			if diff := cmp.Diff(want, got.Usage, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			if price.Tier(got.ServiceTier) != c.Served.Tier || got.Geo != c.Served.Geo || got.Unpriced != c.Unpriced {
				t.Errorf("served in %q, at %q, unpriced %t", got.ServiceTier, got.Geo, got.Unpriced)
			}
		})
	}
}

func readBedrock(body []byte) dialect.Answer {
	answer, err := new(bedrock.Provider).Answer(body)
	if err != nil {
		return dialect.Answer{}
	}
	return dialect.Answer{Usage: answer.Usage.Tokens, ServiceTier: answer.Usage.ServiceTier, Unpriced: answer.Usage.Unpriced}
}
