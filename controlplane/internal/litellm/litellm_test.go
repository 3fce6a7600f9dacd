package litellm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/litellm"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
)

var lists = map[string]string{"openai": "openai", "gemini": "gemini", "azure": "deployments", "perplexity": "perplexity"}

// file has the shapes of LiteLLM's.
const file = `{
  "sample_spec": {"input_cost_per_token": 0.0, "litellm_provider": "one of https://docs.litellm.ai/docs/providers"},
  "gpt-5.4": {"litellm_provider": "openai", "mode": "chat", "max_tokens": 128000, "supports_vision": true, "supported_endpoints": ["/v1/chat/completions"],
    "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1.5e-05, "cache_read_input_token_cost": 2.5e-07,
    "input_cost_per_token_flex": 1.25e-06, "output_cost_per_token_flex": 7.5e-06, "cache_read_input_token_cost_flex": 1.3e-07,
    "input_cost_per_token_priority": 5e-06, "output_cost_per_token_priority": 3e-05, "cache_read_input_token_cost_priority": 5e-07,
    "input_cost_per_token_batches": 1.25e-06, "output_cost_per_token_batches": 0.0000075,
    "input_cost_per_token_above_272k_tokens": 5e-06, "output_cost_per_token_above_272k_tokens": 2.25e-05, "cache_read_input_token_cost_above_272k_tokens": 5e-07,
    "input_cost_per_token_above_272k_tokens_priority": 1e-05, "search_context_cost_per_query": {"search_context_size_low": 0.01}, "output_cost_per_second": 0.0},
  "gemini/gemini-x": {"litellm_provider": "gemini", "input_cost_per_token": 1E-6, "output_cost_per_token": 4e-6, "input_cost_per_audio_token": 3e-6,
    "output_cost_per_image_token": 3e-05, "output_cost_per_reasoning_token": 4e-6, "input_cost_per_token_above_128k_tokens": 2e-6, "output_cost_per_reasoning_token_batches": 1e-6},
  "gemini/lengths": {"litellm_provider": "gemini", "input_cost_per_token": 1E-6, "input_cost_per_token_above_128k_tokens": 2e-6, "input_cost_per_token_above_200k_tokens": 3e-6},
  "gemini/list": {"litellm_provider": "gemini", "input_cost_per_token": 1E-6, "tiered_pricing": [{"input_cost_per_token": 1e-6, "range": [0, 32000]}]},
  "gemini/thinks": {"litellm_provider": "gemini", "input_cost_per_token": 1e-6, "output_cost_per_token": 6e-7, "output_cost_per_reasoning_token": 3.5e-6},
  "gemini/thinks-long": {"litellm_provider": "gemini", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6, "output_cost_per_token_above_200k_tokens_priority": 2e-6,
    "output_cost_per_token_priority": 1e-6, "output_cost_per_token_above_200k_tokens": 1e-6, "output_cost_per_reasoning_token_above_200k_tokens_priority": 3e-6},
  "asked": {"litellm_provider": "openai", "input_cost_per_token": 0.0, "output_cost_per_token": 0, "input_cost_per_query": 0.002, "output_cost_per_second": 0.0},
  "free": {"litellm_provider": "openai", "input_cost_per_token": 0.0, "output_cost_per_token": 0, "output_cost_per_second": 0.0e5},
  "perplexity/sonar": {"litellm_provider": "perplexity", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6, "search_context_cost_per_query": {"search_context_size_low": 0.005}},
  "night": {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "off_peak_pricing": {"input_cost_per_token": 5e-7}},
  "again": {"litellm_provider": "openai", "input_cost_per_token": 1e-6},
  "again": {"litellm_provider": "openai", "input_cost_per_token": 9e-6},
  "field": {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "input_cost_per_tok\u0065n": 9e-6},
  "azure/mine": {"litellm_provider": "azure", "input_cost_per_token": 1e-6, "output_cost_per_token": null, "input_cost_per_request": 0.005, "output_cost_per_image": 0.04},
  "claude": {"litellm_provider": "anthropic", "input_cost_per_token": 3e-6},
  "fine": {"litellm_provider": "openai", "input_cost_per_token": 1.0000000000000001e-07, "output_cost_per_token": 1e-6},
  "text": {"litellm_provider": "openai", "input_cost_per_token": "1e-6"},
  "below": {"litellm_provider": "openai", "input_cost_per_token": -1e-6},
  "dear": {"litellm_provider": "openai", "input_cost_per_token": 2},
  "huge": {"litellm_provider": "openai", "input_cost_per_token": 1e999999999},
  "minutes": {"litellm_provider": "openai", "input_cost_per_second": 0.0001},
  "openai/gpt-5.4": {"litellm_provider": "openai", "input_cost_per_token": 1e-6},
  "odd": 7, "nul\u0000": {"litellm_provider": "openai", "input_cost_per_token": 1e-6}, "gpt-5\n": {"litellm_provider": "openai", "input_cost_per_token": 1e-6},
  "ft:gpt/模型 1": {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
}`

func rates(input, cached, output int64) priceoverride.Rates {
	r := priceoverride.Rates{Input: proto.Int64(input), Output: proto.Int64(output)}
	if cached > 0 {
		r.CacheRead = proto.Int64(cached)
	}
	return r
}

func TestRead(t *testing.T) {
	models, left, err := litellm.Read([]byte(file), lists)
	if err != nil {
		t.Fatal(err)
	}
	want := []litellm.Model{
		{Name: "azure/mine", Settings: priceoverride.Settings{
			PriceList: "deployments", Model: "mine", Rates: priceoverride.Rates{Input: proto.Int64(1_000_000)},
			PerRequest: 5_000_000_000, PerImage: proto.Int64(40_000_000_000),
		}},
		{Name: "gemini/gemini-x", Settings: priceoverride.Settings{
			PriceList: "gemini", Model: "gemini-x",
			Rates: priceoverride.Rates{
				Input: proto.Int64(1_000_000), Output: proto.Int64(4_000_000), InputAudio: proto.Int64(3_000_000), OutputImage: proto.Int64(30_000_000),
			},
			LongContextThreshold: 128_000, LongRates: priceoverride.Rates{Input: proto.Int64(2_000_000)},
		}},
		{Name: "free", Settings: priceoverride.Settings{PriceList: "openai", Model: "free", Rates: rates(0, 0, 0)}},
		{Name: "ft:gpt/模型 1", Settings: priceoverride.Settings{PriceList: "openai", Model: "ft:gpt/模型 1", Rates: rates(1_000_000, 0, 1_000_000)}},
		{Name: "gpt-5.4", Settings: priceoverride.Settings{
			PriceList: "openai", Model: "gpt-5.4", Rates: rates(2_500_000, 250_000, 15_000_000),
			LongContextThreshold: 272_000, LongRates: rates(5_000_000, 500_000, 22_500_000),
			Tiers: []priceoverride.Tier{
				{Name: "batch", Rates: rates(1_250_000, 0, 7_500_000)},
				{Name: "flex", Rates: rates(1_250_000, 130_000, 7_500_000)},
				{Name: "priority", Rates: rates(5_000_000, 500_000, 30_000_000), LongRates: priceoverride.Rates{Input: proto.Int64(10_000_000)}},
			},
		}},
	}
	if diff := cmp.Diff(want, models); diff != "" {
		t.Error(diff)
	}
	var said []string
	for _, l := range left {
		said = append(said, fmt.Sprintf("%s|%s|%s", l.Name, l.Field, l.Reason))
	}
	for i, want := range []string{
		`again||it is there twice`,
		`asked|input_cost_per_query|by all that is known here the model is free`,
		`below|input_cost_per_token|-1e-6: it is no number, or below 0`,
		`claude||its litellm_provider "anthropic" is not to be imported`,
		`dear|input_cost_per_token|it is more than prices can be`,
		`field|input_cost_per_token|it is there twice`,
		`fine|input_cost_per_token|1.0000000000000001e-07: it is finer than a pico-dollar`,
		`free|output_cost_per_second|what it prices`,
		`gemini/lengths|input_cost_per_token_above_200k_tokens|prices differ by more than one length of the prompt`,
		`gemini/list|tiered_pricing|prices differ by more than one length of the prompt`,
		`gemini/thinks|output_cost_per_reasoning_token|reasoning costs something else`,
		`gemini/thinks-long|output_cost_per_reasoning_token_above_200k_tokens_priority|reasoning costs something else`,
		"gpt-5\n||model: want UTF-8 of printable characters",
		`gpt-5.4|output_cost_per_second|what it prices`,
		`gpt-5.4|search_context_cost_per_query|what it prices`,
		`huge|input_cost_per_token|1e999999999: it is no number`,
		`minutes||it has no price of a kind that is known`,
		`night|off_peak_pricing|prices differ by the time of the day`,
		"nul\x00||model: want UTF-8 of printable characters",
		`odd||it is no JSON object`,
		`openai/gpt-5.4||gpt-5.4 is the same model`,
		`perplexity/sonar|search_context_cost_per_query|each request is billed for a search`,
		`text|input_cost_per_token|1e-6: it is no number`,
	} {
		if i >= len(said) || !strings.HasPrefix(said[i], want) {
			t.Fatalf("left %q, want %q of\n%s", at(said, i), want, strings.Join(said, "\n"))
		}
	}
	if len(said) != 23 {
		t.Errorf("left\n%s", strings.Join(said, "\n"))
	}
}

func at(all []string, i int) string {
	if i < len(all) {
		return all[i]
	}
	return ""
}

func TestWhatIsNoFile(t *testing.T) {
	for _, text := range []string{``, `[]`, `{"a":`, `7`, `null`, `{"a":{}} 7`, `{"a":{}`, `{"a" {}}`, strings.Repeat(`{"a":`, 100_000)} {
		if _, _, err := litellm.Read([]byte(text), lists); !errors.Is(err, litellm.ErrFormat) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzRead: whatever the bytes are, each model is taken over or named, and what is taken over
// fits.
func FuzzRead(f *testing.F) {
	f.Add([]byte(file))
	f.Add([]byte(`{"a":{"litellm_provider":"openai","input_cost_per_token":1e-12}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		models, left, err := litellm.Read(text, lists)
		if err != nil {
			return
		}
		for _, m := range models {
			if err := m.Settings.Check(); err != nil {
				t.Errorf("%s: %v", m.Name, err)
			}
		}
		for _, l := range left {
			if l.Reason == "" {
				t.Errorf("%+v", l)
			}
		}
	})
}
