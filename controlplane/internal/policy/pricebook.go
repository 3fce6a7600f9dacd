package policy

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// EntryKey is what a book has one entry for.
type EntryKey struct {
	list, model, provider string
	fromUS                int64
}

// KeyOf is the key of an entry.
func KeyOf(e *policyv1.PriceEntry) EntryKey {
	return EntryKey{e.GetPriceList(), e.GetModel(), e.GetProviderId(), e.GetEffectiveFromUs()}
}

// Of tells whether the two are of one price list, model and provider, at different times.
func (k EntryKey) Of(other EntryKey) bool {
	k.fromUS = other.fromUS
	return k == other
}

func (k EntryKey) compare(other EntryKey) int {
	return cmp.Or(cmp.Compare(k.list, other.list), cmp.Compare(k.model, other.model),
		cmp.Compare(k.provider, other.provider), cmp.Compare(k.fromUS, other.fromUS))
}

// PriceBook is the book with the organization's overrides, ordered by price list, model,
// provider and begin, and named after both: "builtin-2026-07.2+o17". The same name is always
// the same prices. An override replaces an entry's prices for as long as it is in effect; the
// model's own bounds and names stay.
func PriceBook(builtin *policyv1.PriceBook, overrides []priceoverride.PriceOverride, version int64) *policyv1.PriceBook {
	if version == 0 {
		return builtin
	}
	entries := make(map[EntryKey]*policyv1.PriceEntry, len(builtin.GetEntries())+len(overrides))
	known := make(map[EntryKey]*policyv1.PriceEntry, len(builtin.GetEntries()))
	for _, e := range builtin.GetEntries() {
		entries[KeyOf(e)], known[KeyOf(e)] = e, e
	}
	for _, o := range overrides {
		e := ToProtoPriceEntry(o.Settings)
		was := known[EntryKey{list: o.PriceList, model: o.Model}]
		e.MaxInputTokens, e.MaxOutputTokens, e.Aliases = was.GetMaxInputTokens(), was.GetMaxOutputTokens(), was.GetAliases()
		entries[KeyOf(e)] = e
	}
	book := &policyv1.PriceBook{
		Version: PriceBookVersion(builtin, version),
		Entries: make([]*policyv1.PriceEntry, 0, len(entries)),
	}
	for _, e := range entries {
		book.Entries = append(book.Entries, e)
	}
	slices.SortFunc(book.Entries, func(a, b *policyv1.PriceEntry) int { return KeyOf(a).compare(KeyOf(b)) })
	return book
}

// PriceBookVersion is the name of what PriceBook returns.
func PriceBookVersion(builtin *policyv1.PriceBook, version int64) string {
	if version == 0 {
		return builtin.GetVersion()
	}
	return fmt.Sprintf("%s+o%d", builtin.GetVersion(), version)
}

// AlwaysUS is when overrides with an end and no begin come into effect, in microseconds: the
// built-in entry, which is there from 0 on, counts again after them.
const AlwaysUS = 1

// ToProtoPriceEntry is an override in a price book, without the model's own bounds and names.
func ToProtoPriceEntry(o priceoverride.Settings) *policyv1.PriceEntry {
	e := &policyv1.PriceEntry{
		PriceList: o.PriceList, Model: o.Model, Rates: toProtoRates(o.Rates),
		LongContextThreshold: o.LongContextThreshold, LongRates: toProtoRates(o.LongRates),
		RegionFactors: toProtoRegions(o.Regions), GeoFactors: toProtoRegions(o.Geos),
		PerRequest: o.PerRequest, PerImage: o.PerImage,
	}
	if o.Marginal {
		e.LongContext = policyv1.LongContext_LONG_CONTEXT_MARGINAL
	}
	for _, t := range o.Tiers {
		e.ServiceTiers = append(e.ServiceTiers, &policyv1.ServiceTierRates{
			Name: t.Name, Rates: toProtoRates(t.Rates), LongRates: toProtoRates(t.LongRates), Factor: toProtoFactor(t.Factor),
		})
	}
	if o.ProviderID != uuid.Nil {
		e.ProviderId = o.ProviderID.String()
	}
	if !o.From.IsZero() {
		e.EffectiveFromUs = o.From.UnixMicro()
	}
	if !o.Until.IsZero() {
		e.EffectiveFromUs, e.EffectiveUntilUs = cmp.Or(e.EffectiveFromUs, AlwaysUS), o.Until.UnixMicro()
	}
	return e
}

func toProtoFactor(f priceoverride.Factor) *policyv1.Factor {
	if f == (priceoverride.Factor{}) {
		return nil
	}
	return &policyv1.Factor{Numerator: f.Numerator, Denominator: f.Denominator}
}

func toProtoRegions(regions []priceoverride.Region) (all []*policyv1.RegionFactor) {
	for _, r := range regions {
		all = append(all, &policyv1.RegionFactor{Region: r.Name, Factor: toProtoFactor(r.Factor)})
	}
	return all
}

func toProtoRates(r priceoverride.Rates) *policyv1.Rates {
	if (r == priceoverride.Rates{}) {
		return nil
	}
	return &policyv1.Rates{
		Input: r.Input, CacheRead: r.CacheRead, CacheWrite_5M: r.CacheWrite5m, CacheWrite_1H: r.CacheWrite1h,
		Output: r.Output, InputAudio: r.InputAudio, OutputAudio: r.OutputAudio, InputImage: r.InputImage, OutputImage: r.OutputImage,
	}
}
