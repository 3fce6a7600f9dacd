package proxy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	notSold  = -1 // no cost is known
	tierNone = usagev1.ServiceTier_SERVICE_TIER_UNSPECIFIED
)

// tiered prices 10 input and 20 output tokens at 220 µ$, flex at half of that, priority at
// twice; fast at six times, and a tenth more in the US.
func tiered(list, model string) *policyv1.PriceEntry {
	rates := func(input, output int64) *policyv1.Rates {
		return &policyv1.Rates{Input: proto.Int64(input), Output: proto.Int64(output)}
	}
	return &policyv1.PriceEntry{
		PriceList: list, Model: model, MaxOutputTokens: 100, Rates: rates(2_000_000, 10_000_000),
		ServiceTiers: []*policyv1.ServiceTierRates{
			{Name: "flex", Rates: rates(1_000_000, 5_000_000)}, {Name: "priority", Rates: rates(4_000_000, 20_000_000)},
			{Name: "fast", Factor: &policyv1.Factor{Numerator: 6, Denominator: 1}},
		},
		GeoFactors: []*policyv1.RegionFactor{{Region: "us", Factor: &policyv1.Factor{Numerator: 11, Denominator: 10}}},
	}
}

// priced is a harness whose route "routed" leads to a provider of a dialect and the model m.
func priced(t *testing.T, dialect policyv1.Dialect, entries []*policyv1.PriceEntry, options ...func(*proxy.Config)) *harness {
	h := newHarness(t, options...)
	h.prices = entries
	h.extra = []*policyv1.Resource{
		resource(t, "provider", "p", &policyv1.Provider{Id: "p", Name: "p", Dialect: dialect, BaseUrl: h.upstream.URL, Region: "eu",
			CredentialRef: "env://WEIR_SECRET_MOCK", PriceList: "list"}),
		resource(t, "route", "r-routed", &policyv1.Route{Id: "r-routed", Name: "routed", Strategy: single, Targets: []*policyv1.Target{to("p", "m", 0)}}),
	}
	h.holder.Store(h.policy(h.upstream.URL))
	return h
}

func costOf(a *usagev1.Attempt) int64 {
	if a.CostNanoUsd == nil {
		return notSold
	}
	return *a.CostNanoUsd
}

// TestServiceTiersArePriced by what the answer says, and bounded by the dearest that it may
// say.
func TestServiceTiersArePriced(t *testing.T) {
	const openAI, anthropic = policyv1.Dialect_DIALECT_OPENAI, policyv1.Dialect_DIALECT_ANTHROPIC
	const gemini = policyv1.Dialect_DIALECT_GEMINI
	bodies := map[policyv1.Dialect][3]string{
		openAI:    {"/v1/chat/completions", `{"model":"routed","max_tokens":50,"messages":[{"role":"user","content":"x"}]`, `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}`},
		anthropic: {"/v1/messages", message, `{"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":20`},
		gemini:    {"/v1beta/models/routed:generateContent", `{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":50}`, `{"candidates":[],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":20`},
	}
	const standard, flex, priority, fast, other = usagev1.ServiceTier_SERVICE_TIER_STANDARD, usagev1.ServiceTier_SERVICE_TIER_FLEX,
		usagev1.ServiceTier_SERVICE_TIER_PRIORITY, usagev1.ServiceTier_SERVICE_TIER_FAST, usagev1.ServiceTier_SERVICE_TIER_OTHER
	const once, us = 1.0, 1.1 // times the price of the standard tier
	for name, test := range map[string]struct {
		dialect     policyv1.Dialect
		asked, told string
		worst       float64 // -1: not known
		cost        int64
		tier        usagev1.ServiceTier
	}{
		"nothing_said":       {openAI, ``, ``, 2, 220_000, tierNone},
		"chosen_by_openai":   {openAI, `,"service_tier":"auto"`, `,"service_tier":"priority"`, 2, 440_000, priority},
		"default":            {openAI, `,"service_tier":"default"`, `,"service_tier":"default"`, once, 220_000, standard},
		"flex":               {openAI, `,"service_tier":"flex"`, `,"service_tier":"flex"`, once, 110_000, flex},
		"flex_not_told":      {openAI, `,"service_tier":"flex"`, ``, once, 110_000, flex},
		"priority":           {openAI, `,"service_tier":"priority"`, `,"service_tier":"priority"`, 2, 440_000, priority},
		"priority_lost":      {openAI, `,"service_tier":"priority"`, `,"service_tier":"default"`, 2, 220_000, standard},
		"fast_is_priority":   {openAI, `,"service_tier":"fast"`, `,"service_tier":"priority"`, 2, 440_000, priority},
		"scale":              {openAI, `,"service_tier":"scale"`, `,"service_tier":"scale"`, -1, notSold, other},
		"gemini":             {gemini, ``, `,"serviceTier":"standard"`, once, 220_000, standard},
		"gemini_flex":        {gemini, `,"serviceTier":"flex"`, `,"serviceTier":"flex"`, once, 110_000, flex},
		"gemini_by_its_enum": {gemini, `,"serviceTier":"SERVICE_TIER_PRIORITY"`, `,"serviceTier":"SERVICE_TIER_PRIORITY"`, 2, 440_000, priority},
		"anthropic":          {anthropic, ``, `,"service_tier":"standard","speed":"standard","inference_geo":"global"`, 2 * us, 220_000, standard},
		"committed":          {anthropic, ``, `,"service_tier":"priority"`, 2 * us, 440_000, priority},
		"fast":               {anthropic, `,"speed":"fast"`, `,"service_tier":"standard","speed":"fast"`, 6 * us, 1_320_000, fast},
		"fast_lost":          {anthropic, `,"speed":"fast"`, `,"service_tier":"standard","speed":"standard"`, 6 * us, 220_000, standard},
		"fast_and_committed": {anthropic, `,"speed":"fast"`, `,"service_tier":"priority","speed":"fast"`, 6 * us, notSold, other},
		"in_us":              {anthropic, `,"service_tier":"standard_only","inference_geo":"us"`, `,"inference_geo":"us"`, us, 242_000, standard},
		"in_us_by_default":   {anthropic, `,"service_tier":"standard_only"`, `,"inference_geo":"us"`, us, 242_000, standard},
		"fast_in_us":         {anthropic, `,"speed":"fast"`, `,"speed":"fast","inference_geo":"us"`, 6 * us, 1_452_000, fast},
		"elsewhere":          {anthropic, `,"inference_geo":"moon"`, `,"inference_geo":"moon"`, -1, notSold, tierNone},
		"no_place":           {anthropic, `,"inference_geo":"global"`, `,"inference_geo":"not_available"`, 2, 220_000, tierNone},
	} {
		t.Run(name, func(t *testing.T) {
			with := bodies[test.dialect]
			end := "}}"
			if test.dialect == openAI {
				end = "}"
			}
			entry := tiered("list", "m")
			if test.dialect != anthropic {
				entry.GeoFactors = nil
			}
			h := priced(t, test.dialect, []*policyv1.PriceEntry{entry}, func(c *proxy.Config) {
				c.Transport = canned{answer: []byte(with[2] + test.told + end)}
			})
			body := with[1] + test.asked + `}`
			if response, text, err := h.sendTo(context.Background(), with[0], goodKey, body); err != nil || response.StatusCode != 200 {
				t.Fatal(text, err)
			}
			started, ended := h.record()
			begun, over := started.Attempts[0], ended.Attempts[0]
			want := int64(notSold)
			if test.worst > 0 {
				want = int64(test.worst*10+0.5) * (begun.Usage.Input*2_000 + 50*10_000) / 10
			}
			if got := costOf(begun); got != want {
				t.Errorf("bounded by %d, want %d", got, want)
			}
			if got := costOf(over); got != test.cost || over.ServiceTier != test.tier {
				t.Errorf("cost %d in %s, want %d in %s", got, over.ServiceTier, test.cost, test.tier)
			}
		})
	}
}

// TestPricesOfThisProviderNow: a provider's own price, its region's factor, and what counts
// when the request begins.
func TestPricesOfThisProviderNow(t *testing.T) {
	entry := func(dollars int64, more *policyv1.PriceEntry) *policyv1.PriceEntry {
		more.PriceList, more.Model = "list", "m"
		more.Rates = &policyv1.Rates{Input: proto.Int64(dollars * 1_000_000), Output: proto.Int64(dollars * 1_000_000)}
		return more
	}
	now := time.Now().UnixMicro()
	hour := time.Hour.Microseconds()
	for name, test := range map[string]struct {
		entries []*policyv1.PriceEntry
		cost    int64 // of 30 tokens
	}{
		"of_the_list":   {[]*policyv1.PriceEntry{entry(1, &policyv1.PriceEntry{})}, 30_000},
		"its_own":       {[]*policyv1.PriceEntry{entry(1, &policyv1.PriceEntry{}), entry(2, &policyv1.PriceEntry{ProviderId: "p"})}, 60_000},
		"of_another":    {[]*policyv1.PriceEntry{entry(1, &policyv1.PriceEntry{}), entry(2, &policyv1.PriceEntry{ProviderId: "q"})}, 30_000},
		"of_its_region": {[]*policyv1.PriceEntry{entry(1, &policyv1.PriceEntry{RegionFactors: []*policyv1.RegionFactor{{Region: "eu", Factor: &policyv1.Factor{Numerator: 11, Denominator: 10}}}})}, 33_000},
		"since_an_hour": {[]*policyv1.PriceEntry{entry(1, &policyv1.PriceEntry{}), entry(2, &policyv1.PriceEntry{EffectiveFromUs: now - hour})}, 60_000},
		"in_an_hour":    {[]*policyv1.PriceEntry{entry(1, &policyv1.PriceEntry{}), entry(2, &policyv1.PriceEntry{EffectiveFromUs: now + hour})}, 30_000},
		"no_more":       {[]*policyv1.PriceEntry{entry(2, &policyv1.PriceEntry{EffectiveUntilUs: now - hour})}, notSold},
		"per_request":   {[]*policyv1.PriceEntry{entry(1, &policyv1.PriceEntry{PerRequest: 5_000_000_000})}, 5_030_000},
	} {
		t.Run(name, func(t *testing.T) {
			h := priced(t, policyv1.Dialect_DIALECT_OPENAI, test.entries, func(c *proxy.Config) {
				c.Transport = canned{answer: []byte(`{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`)}
			})
			h.post(goodKey, toRoute("routed", ""))
			if _, ended := h.record(); costOf(ended.Attempts[0]) != test.cost {
				t.Errorf("%d, want %d", costOf(ended.Attempts[0]), test.cost)
			}
		})
	}
}

// TestWithoutAPrice: what an organization does then, and that it is counted.
func TestWithoutAPrice(t *testing.T) {
	const allow, estimate, block = policyv1.Unpriced_UNPRICED_ALLOW, policyv1.Unpriced_UNPRICED_ESTIMATE, policyv1.Unpriced_UNPRICED_BLOCK
	gpt4o := &policyv1.PriceEntry{PriceList: "openai", Model: "gpt-4o"}
	for name, test := range map[string]struct {
		does      policyv1.Unpriced
		route     string
		rest      string
		refused   bool
		estimated bool
		cost      int64
		counted   string // reason and how
	}{
		"allowed":             {allow, "odd", ``, false, false, notSold, "model unpriced"},
		"allowed_and_priced":  {allow, "chat", ``, false, false, 0, ""},
		"estimated":           {estimate, "odd", ``, false, true, 0, "model estimated"},
		"nothing_to_estimate": {estimate, "chat", ``, false, false, 0, ""},
		"blocked":             {block, "odd", ``, true, false, 0, ""},
		"priced":              {block, "chat", ``, false, false, 0, ""},
		"blocked_by_its_tier": {block, "chat", `,"service_tier":"scale"`, true, false, 0, ""},
		"blocked_by_audio":    {block, "chat", `,"modalities":["text","audio"]`, true, false, 0, ""},
		"no_audio_here":       {block, "dear", `,"modalities":["text","audio"]`, false, false, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.unpriced = test.does
			if test.does == estimate {
				h.standIn = gpt4o
			}
			h.holder.Store(h.policy(h.upstream.URL))
			response, text := h.post(goodKey, toRoute(test.route, `,"max_tokens":50`+test.rest))
			if got := unpricedCount(t, h.registry); got != test.counted {
				t.Errorf("counted %q, want %q", got, test.counted)
			}
			if test.refused {
				wantError(t, response, text, 403, "model_unpriced")
				if len(h.mock.Requests()) > 0 {
					t.Error("something went upstream")
				}
				return
			}
			if response.StatusCode != 200 {
				t.Fatalf("%d %s", response.StatusCode, text)
			}
			started, ended := h.record()
			a := ended.Attempts[0]
			cost := costOf(a)
			if (cost == notSold) != (test.cost == notSold) || a.PriceEstimated != test.estimated || started.Attempts[0].PriceEstimated != test.estimated {
				t.Errorf("cost %d, estimated %t", cost, a.PriceEstimated)
			}
			if test.estimated { // by gpt-4o: 2.5 and 10.000001 $/M
				if want := (a.Usage.Input*2_500_000 + a.Usage.Output*10_000_001 + 500) / 1000; cost != want {
					t.Errorf("estimated at %d, want %d", cost, want)
				}
			}
		})
	}
}

// unpricedCount is the reason and how of unpriced attempts; empty: there are none.
func unpricedCount(t *testing.T, registry *prometheus.Registry) string {
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "weir_agent_unpriced_attempts_total" {
			continue
		}
		labels := map[string]string{}
		for _, pair := range family.Metric[0].Label {
			labels[pair.GetName()] = pair.GetValue()
		}
		return labels["reason"] + " " + labels["handled"]
	}
	return ""
}

// TestUnpricedTargetsArePassedOver, and the record says why.
func TestUnpricedTargetsArePassedOver(t *testing.T) {
	h := newHarness(t)
	h.unpriced = policyv1.Unpriced_UNPRICED_BLOCK
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "odd-model", 0), to("mock", "gpt-4o", 0)},
		Retry: &policyv1.Retry{MaxAttempts: 2, BackoffMs: 1, On: everyFailure}})
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 502})
	response, _ := h.post(goodKey, toRoute("routed", ""))
	_, ended := h.record()
	if response.StatusCode != 200 || len(ended.Attempts) != 2 || ended.Attempts[0].Model != "gpt-4o" || ended.Attempts[1].Model != "gpt-4o" {
		t.Fatalf("%d %v", response.StatusCode, ended.Attempts)
	}
	if got := ended.Candidates[0].Verdict; got != usagev1.Verdict_VERDICT_UNPRICED {
		t.Errorf("verdict %s", got)
	}
	if costOf(ended.Attempts[0]) == notSold || costOf(ended.Attempts[1]) == notSold {
		t.Errorf("an attempt without a cost: %v", ended.Attempts)
	}
}

// TestRefusedInTheCallersDialect: model_unpriced in each surface's shape.
func TestRefusedInTheCallersDialect(t *testing.T) {
	for path, test := range map[string]struct{ body, want string }{
		"/v1/chat/completions":               {question + `}`, `"code":"model_unpriced"`},
		"/v1/messages":                       {message + `}`, `"permission_error"`},
		"/v1beta/models/odd:generateContent": {`{"contents":[{"parts":[{"text":"x"}]}]}`, `"PERMISSION_DENIED"`},
	} {
		h := newHarness(t)
		h.unpriced = policyv1.Unpriced_UNPRICED_BLOCK
		h.holder.Store(h.policy(h.upstream.URL))
		body := strings.NewReplacer(`"chat"`, `"odd"`, `"routed"`, `"odd"`).Replace(test.body)
		response, text, err := h.sendTo(context.Background(), path, goodKey, body)
		if err != nil || response.StatusCode != 403 || !strings.Contains(text, test.want) || !strings.Contains(text, "price override") {
			t.Errorf("%s: %v, %s %v", path, response.StatusCode, text, err)
		}
	}
}

// TestImagesArePriced by their tokens, or by their number.
func TestImagesArePriced(t *testing.T) {
	for name, test := range map[string]struct {
		entry  *policyv1.PriceEntry
		answer string
		cost   int64
	}{
		// 10 × 5 + 40 × 10 + 100 × 40 µ$
		"tokens": {&policyv1.PriceEntry{Rates: &policyv1.Rates{Input: proto.Int64(5_000_000), InputImage: proto.Int64(10_000_000), OutputImage: proto.Int64(40_000_000)}},
			`{"data":[{}],"usage":{"input_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40},"output_tokens":100,"total_tokens":150}}`, 4_450_000},
		"images":     {&policyv1.PriceEntry{PerImage: proto.Int64(40_000_000_000)}, `{"data":[{},{}]}`, 80_000_000},
		"without":    {&policyv1.PriceEntry{Rates: &policyv1.Rates{Input: proto.Int64(1)}}, `{"data":[{},{}]}`, notSold},
		"text_price": {&policyv1.PriceEntry{Rates: &policyv1.Rates{Input: proto.Int64(1), Output: proto.Int64(1)}}, `{"usage":{"input_tokens":5,"output_tokens":1}}`, notSold},
	} {
		t.Run(name, func(t *testing.T) {
			test.entry.PriceList, test.entry.Model = "list", "m"
			h := priced(t, policyv1.Dialect_DIALECT_OPENAI, []*policyv1.PriceEntry{test.entry}, func(c *proxy.Config) { c.Transport = canned{answer: []byte(test.answer)} })
			if response, text, err := h.sendTo(context.Background(), "/v1/images/generations", goodKey, `{"model":"routed","prompt":"a weir"}`); err != nil || response.StatusCode != 200 {
				t.Fatal(text, err)
			}
			if _, ended := h.record(); costOf(ended.Attempts[0]) != test.cost {
				t.Errorf("%d, want %d: %v", costOf(ended.Attempts[0]), test.cost, ended.Attempts[0])
			}
		})
	}
}
