package price_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var anyTime = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// bookOf has an entry for each dollar per million input tokens.
func bookOf(t testing.TB, entries map[int64]*policyv1.PriceEntry) *price.Book {
	t.Helper()
	book := &policyv1.PriceBook{Version: "v"}
	for dollars, e := range entries {
		e.Rates = &policyv1.Rates{Input: proto.Int64(dollars * 1_000_000)}
		book.Entries = append(book.Entries, e)
	}
	compiled, err := price.NewBook(book)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// dollars of a million input tokens; 0: unpriced.
func dollars(e *price.Entry) int64 {
	if e == nil {
		return 0
	}
	nano, _ := e.Cost(&usagev1.TokenUsage{Input: 1_000_000})
	return nano / 1_000_000_000
}

// TestNames pins which entry prices a model by its name.
func TestNames(t *testing.T) {
	book := bookOf(t, map[int64]*policyv1.PriceEntry{
		1:  {PriceList: "openai", Model: "gpt-4o"},
		2:  {PriceList: "openai", Model: "gpt-4o-2024-05-13"},
		3:  {PriceList: "anthropic", Model: "claude-opus-4-6"},
		4:  {PriceList: "anthropic", Model: "claude-sonnet-4-20250514", Aliases: []string{"claude-sonnet-4-0"}},
		5:  {PriceList: "anthropic", Model: "claude-opus-4-6-20260205"},
		6:  {PriceList: "anthropic", Model: "claude-sonnet-5"},
		7:  {PriceList: "gemini", Model: "gemini-2.5-pro"},
		8:  {PriceList: "gemini", Model: "gemini-2.0-flash"},
		9:  {PriceList: "xai", Model: "grok-4.5"},
		10: {PriceList: "own", Model: "own/m"},
		11: {PriceList: "own", Model: "m", Aliases: []string{"deployment", "own/m"}},
		12: {PriceList: "anthropic", Model: "claude-3-7-sonnet-20250219"},
		13: {PriceList: "own", Model: "claude-opus-4-6"},
	})
	for _, c := range []struct {
		list, model string
		dollars     int64 // 0: unpriced
	}{
		{"openai", "gpt-4o", 1},
		{"openai", "openai/gpt-4o", 1},
		{"openai", "gpt-4o-2024-05-13", 2},
		{"openai", "openai/gpt-4o-2024-05-13", 2},
		// another snapshot may have another price, as that of May had
		{"openai", "gpt-4o-2024-08-06", 0},
		{"openai", "gpt-4o-mini", 0},
		{"openai", "gpt-4", 0},
		// fine-tuned ones are dearer than what they are made of
		{"openai", "ft:gpt-4o:org::id", 0},
		{"openai", "ft:gpt-4o-2024-05-13:org::id", 0},
		{"openai", "GPT-4o", 0},
		{"openai", "azure/gpt-4o", 0},
		{"openai", "openai/openai/gpt-4o", 0},
		{"openai", "openai/", 0},
		{"anthropic", "claude-opus-4-6", 3},
		{"anthropic", "anthropic/claude-opus-4-6", 3},
		{"anthropic", "claude-opus-4-6-20260205", 5},
		// Anthropic's prices are of models, not of their snapshots
		{"anthropic", "claude-opus-4-6-20260301", 3},
		{"anthropic", "anthropic/claude-opus-4-6-20260301", 3},
		{"anthropic", "claude-sonnet-5-20260701", 6},
		// never the other way round, and never another model
		{"anthropic", "claude-sonnet-4", 0},
		{"anthropic", "claude-3-7-sonnet", 0},
		{"anthropic", "claude-3-7-sonnet-latest", 0},
		{"anthropic", "claude-opus-4-6-fast", 0},
		{"anthropic", "claude-opus-4-6-thinking-20260301", 0},
		{"anthropic", "claude-opus-4-20260301", 0},
		{"anthropic", "claude-sonnet-4-0", 4},
		{"anthropic", "anthropic/claude-sonnet-4-0", 4},
		{"gemini", "gemini-2.5-pro", 7},
		{"gemini", "models/gemini-2.5-pro", 7},
		{"gemini", "google/gemini-2.5-pro", 7},
		{"gemini", "gemini/gemini-2.5-pro", 7},
		{"gemini", "publishers/google/models/gemini-2.5-pro", 7},
		// -001 is a version that has its own price
		{"gemini", "gemini-2.0-flash-001", 0},
		{"gemini", "gemini-2.5-pro-preview-05-06", 0},
		{"gemini", "tunedModels/gemini-2.5-pro", 0},
		{"xai", "xai/grok-4.5", 9},
		{"xai", "x-ai/grok-4.5", 9},
		{"xai", "grok-4.5-latest", 0},
		{"own", "own/m", 10}, // before an alias, and before m
		{"own", "m", 11},
		{"own", "deployment", 11}, // as Azure's are called
		{"own", "own/deployment", 11},
		{"own", "claude-opus-4-6-20260301", 0}, // whoever sells it has its own convention
		{"", "gpt-4o", 0},
	} {
		t.Run(c.list+"_"+strings.ReplaceAll(c.model, "/", "_"), func(t *testing.T) {
			if got := dollars(book.Lookup(price.Query{List: c.list, Model: c.model}).At(anyTime)); got != c.dollars {
				t.Errorf("%d $, want %d", got, c.dollars)
			}
		})
	}
}

func TestPricesOfAProvider(t *testing.T) {
	book := bookOf(t, map[int64]*policyv1.PriceEntry{
		1: {PriceList: "openai", Model: "gpt-4o"},
		2: {PriceList: "openai", Model: "gpt-4o", ProviderId: "p"},
		3: {PriceList: "openai", Model: "only", ProviderId: "p"},
		4: {PriceList: "other", Model: "gpt-4o", ProviderId: "p"},
		5: {PriceList: "anthropic", Model: "claude-opus-4-6", ProviderId: "p"},
		6: {PriceList: "anthropic", Model: "claude-opus-4-6-20260205"},
		7: {PriceList: "openai", Model: "later"},
		8: {PriceList: "openai", Model: "later", ProviderId: "p", EffectiveFromUs: anyTime.UnixMicro() + 1},
	})
	for name, c := range map[string]struct {
		query   price.Query
		dollars int64
	}{
		"its_own":                       {price.Query{List: "openai", Model: "gpt-4o", ProviderID: "p"}, 2},
		"its_own_with_a_prefix":         {price.Query{List: "openai", Model: "openai/gpt-4o", ProviderID: "p"}, 2},
		"of_another":                    {price.Query{List: "openai", Model: "gpt-4o", ProviderID: "q"}, 1},
		"of_the_list":                   {price.Query{List: "openai", Model: "gpt-4o"}, 1},
		"nobody_else_has_it":            {price.Query{List: "openai", Model: "only", ProviderID: "q"}, 0},
		"it_alone_has_it":               {price.Query{List: "openai", Model: "only", ProviderID: "p"}, 3},
		"the_exact_name_comes_first":    {price.Query{List: "anthropic", Model: "claude-opus-4-6-20260205", ProviderID: "p"}, 6},
		"what_has_no_price_of_its_name": {price.Query{List: "anthropic", Model: "claude-opus-4-6-20260301", ProviderID: "p"}, 5},
		"not_yet":                       {price.Query{List: "openai", Model: "later", ProviderID: "p"}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			if got := dollars(book.Lookup(c.query).At(anyTime)); got != c.dollars {
				t.Errorf("%d $, want %d", got, c.dollars)
			}
		})
	}
}

func TestPricesOverTime(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 8, d, 0, 0, 0, 0, time.UTC) }
	book := bookOf(t, map[int64]*policyv1.PriceEntry{
		1: {Model: "m"},
		2: {Model: "m", EffectiveFromUs: day(10).UnixMicro()},
		3: {Model: "m", EffectiveFromUs: day(20).UnixMicro(), EffectiveUntilUs: day(25).UnixMicro()},
		4: {Model: "new", EffectiveFromUs: day(10).UnixMicro()},
		5: {Model: "promotion", EffectiveUntilUs: day(10).UnixMicro()},
	})
	for _, c := range []struct {
		model   string
		at      time.Time
		dollars int64
	}{
		{"m", time.Time{}, 1}, {"m", day(1), 1}, {"m", day(10).Add(-time.Microsecond), 1},
		{"m", day(10), 2}, {"m", day(20).Add(-time.Microsecond), 2},
		{"m", day(20), 3}, {"m", day(25).Add(-time.Microsecond), 3},
		{"m", day(25), 2}, {"m", anyTime, 2},
		{"new", day(9), 0}, {"new", day(10), 4},
		{"promotion", day(9), 5}, {"promotion", day(10), 0},
	} {
		if got := dollars(book.Lookup(price.Query{Model: c.model}).At(c.at)); got != c.dollars {
			t.Errorf("%s at %s: %d $, want %d", c.model, c.at, got, c.dollars)
		}
	}
	for name, second := range map[string]*policyv1.PriceEntry{
		"the_same_begin":  {Model: "m", EffectiveFromUs: 5, EffectiveUntilUs: 9},
		"an_alias_of_two": {Model: "n", Aliases: []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			first := &policyv1.PriceEntry{Model: "m", EffectiveFromUs: 5, Aliases: []string{"a"}}
			if _, err := price.NewBook(&policyv1.PriceBook{Entries: []*policyv1.PriceEntry{first, second}}); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestRegions(t *testing.T) {
	book := bookOf(t, map[int64]*policyv1.PriceEntry{10: {Model: "m", RegionFactors: []*policyv1.RegionFactor{{Region: "eu", Factor: factor(11, 10)}}}})
	for region, want := range map[string]int64{"": 10, "us": 10, "eu": 11, "eu-west-1": 10} {
		if got := dollars(book.Lookup(price.Query{Model: "m", Region: region}).At(anyTime)); got != want {
			t.Errorf("%q: %d $, want %d", region, got, want)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	book := bookOf(b, map[int64]*policyv1.PriceEntry{1: {PriceList: "anthropic", Model: "claude-opus-4-6"}})
	b.ReportAllocs()
	for b.Loop() {
		book.Lookup(price.Query{List: "anthropic", Model: "claude-opus-4-6-20260301", ProviderID: "p"})
	}
}

// What is offered comes in the order in which it counts, each once, whatever the region.
func TestPlaces(t *testing.T) {
	book, err := price.NewBook(&policyv1.PriceBook{Entries: []*policyv1.PriceEntry{
		{PriceList: "l", Model: "other"},
		{PriceList: "l", Model: "m", Aliases: []string{"a"}},
		{PriceList: "l", Model: "m", EffectiveFromUs: 5, EffectiveUntilUs: 9},
		{PriceList: "l", Model: "m", ProviderId: "p", EffectiveFromUs: 7},
		{PriceList: "l", Model: "l/m"},
		{PriceList: "l", Model: "l/m", ProviderId: "q", RegionFactors: []*policyv1.RegionFactor{{Region: "eu", Factor: &policyv1.Factor{Numerator: 2, Denominator: 1}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		query price.Query
		want  []int
	}{
		{price.Query{List: "l", Model: "m"}, []int{2, 1}},
		{price.Query{List: "l", Model: "m", ProviderID: "p"}, []int{3, 2, 1}},
		{price.Query{List: "l", Model: "a"}, []int{1}},
		{price.Query{List: "l", Model: "l/m", ProviderID: "q", Region: "eu"}, []int{5, 4, 2, 1}},
		{price.Query{List: "l", Model: "none"}, nil},
	} {
		if got := book.Lookup(c.query).Places(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.query, got, c.want)
		}
	}
}
