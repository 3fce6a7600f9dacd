package policy

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

type modelKey struct{ list, model string }

// PriceBook is the book with the organization's overrides, ordered by price list and
// model, and named after both: "builtin-2026-07+o17". The same name is always the
// same prices. An override replaces an entry's prices; the model's own bounds stay.
func PriceBook(builtin *policyv1.PriceBook, overrides []priceoverride.PriceOverride, version int64) *policyv1.PriceBook {
	if version == 0 {
		return builtin
	}
	entries := make(map[modelKey]*policyv1.PriceEntry, len(builtin.GetEntries())+len(overrides))
	for _, e := range builtin.GetEntries() {
		entries[modelKey{e.GetPriceList(), e.GetModel()}] = e
	}
	for _, o := range overrides {
		key := modelKey{o.PriceList, o.Model}
		entries[key] = toProtoPriceEntry(o, entries[key])
	}
	book := &policyv1.PriceBook{
		Version: PriceBookVersion(builtin, version),
		Entries: make([]*policyv1.PriceEntry, 0, len(entries)),
	}
	for _, e := range entries {
		book.Entries = append(book.Entries, e)
	}
	slices.SortFunc(book.Entries, func(a, b *policyv1.PriceEntry) int {
		return cmp.Or(cmp.Compare(a.GetPriceList(), b.GetPriceList()), cmp.Compare(a.GetModel(), b.GetModel()))
	})
	return book
}

// PriceBookVersion is the name of what PriceBook returns.
func PriceBookVersion(builtin *policyv1.PriceBook, version int64) string {
	if version == 0 {
		return builtin.GetVersion()
	}
	return fmt.Sprintf("%s+o%d", builtin.GetVersion(), version)
}

func toProtoPriceEntry(o priceoverride.PriceOverride, was *policyv1.PriceEntry) *policyv1.PriceEntry {
	return &policyv1.PriceEntry{
		PriceList: o.PriceList, Model: o.Model, Rates: toProtoRates(o.Rates),
		LongContextThreshold: o.LongContextThreshold, LongRates: toProtoRates(o.LongRates),
		MaxInputTokens: was.GetMaxInputTokens(), MaxOutputTokens: was.GetMaxOutputTokens(),
	}
}

func toProtoRates(r priceoverride.Rates) *policyv1.Rates {
	if (r == priceoverride.Rates{}) {
		return nil
	}
	return &policyv1.Rates{
		Input: r.Input, CacheRead: r.CacheRead, CacheWrite_5M: r.CacheWrite5m, CacheWrite_1H: r.CacheWrite1h,
		Output: r.Output, InputAudio: r.InputAudio, OutputAudio: r.OutputAudio,
	}
}
