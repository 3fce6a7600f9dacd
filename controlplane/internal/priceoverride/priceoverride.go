// Package priceoverride decides about the prices that an organization pays for
// models, where they are not the built-in price book's. Amounts are pico-dollars per
// token, as in the book. It knows no clock and no I/O.
package priceoverride

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/slug"
)

const (
	// Most is how many an organization can have; they travel in every policy.
	Most = 2000

	maxModel = 200
)

// PriceOverride is the price of one model in one price list as the log has it.
type PriceOverride struct {
	ID uuid.UUID `json:"id"`
	Settings
	CreatedAt time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Settings are what people choose. What they are for can't change.
type Settings struct {
	// PriceList is a slug, so that Name is unambiguous.
	PriceList string `json:"price_list"`
	Model     string `json:"model"`
	Rates     Rates  `json:"rates"`
	// LongContextThreshold in input tokens; 0: there is no such tier.
	LongContextThreshold int64 `json:"long_context_threshold,omitempty"`
	LongRates            Rates `json:"long_rates,omitzero"`
	// Marginal: LongRates are of the tokens beyond the threshold alone.
	Marginal bool `json:"marginal,omitempty"`
	// Tiers, Regions and Geos are ordered by name.
	Tiers   []Tier   `json:"tiers,omitempty"`
	Regions []Region `json:"regions,omitempty"`
	Geos    []Region `json:"geos,omitempty"`
	// PerRequest in pico-dollars; PerImage likewise, nil: unknown.
	PerRequest int64  `json:"per_request,omitempty"`
	PerImage   *int64 `json:"per_image,omitempty"`
	// ProviderID is the only provider that it is for; uuid.Nil: all of the price list.
	ProviderID uuid.UUID `json:"provider_id,omitzero"`
	// From and Until bound when it counts, whole microseconds; zero: ever.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Rates are in pico-dollars per token; nil: unknown, which is not 0.
type Rates struct {
	Input        *int64 `json:"input,omitempty"`
	CacheRead    *int64 `json:"cache_read,omitempty"`
	CacheWrite5m *int64 `json:"cache_write_5m,omitempty"`
	CacheWrite1h *int64 `json:"cache_write_1h,omitempty"`
	Output       *int64 `json:"output,omitempty"`
	InputAudio   *int64 `json:"input_audio,omitempty"`
	OutputAudio  *int64 `json:"output_audio,omitempty"`
	InputImage   *int64 `json:"input_image,omitempty"`
	OutputImage  *int64 `json:"output_image,omitempty"`
}

// Name is "<price list>/<model>", and which provider it is for and from when, where that is
// said.
func (s Settings) Name() string {
	name := s.PriceList + "/" + s.Model
	if s.ProviderID != uuid.Nil {
		name += " for " + s.ProviderID.String()
	}
	if !s.From.IsZero() {
		name += " from " + s.From.UTC().Format(time.RFC3339Nano)
	}
	return name
}

func (s Settings) equal(other Settings) bool { return reflect.DeepEqual(s, other) }

// Complete puts what has no order into one.
func (s Settings) Complete() Settings {
	s.Tiers, s.Regions, s.Geos = slices.Clone(s.Tiers), slices.Clone(s.Regions), slices.Clone(s.Geos)
	slices.SortFunc(s.Tiers, func(a, b Tier) int { return cmp.Compare(a.Name, b.Name) })
	for _, regions := range [][]Region{s.Regions, s.Geos} {
		slices.SortFunc(regions, func(a, b Region) int { return cmp.Compare(a.Name, b.Name) })
	}
	s.From, s.Until = whole(s.From), whole(s.Until)
	return s
}

// whole is what policies carry: microseconds, UTC.
func whole(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

// notPrintable: no model has it in its name, and an override with it would price nothing.
func notPrintable(r rune) bool { return !unicode.IsPrint(r) }

// Check tells what of the settings does not fit; they are complete.
func (s Settings) Check() error {
	if err := slug.Check("price_list", s.PriceList); err != nil {
		return err
	}
	switch {
	case s.Model == "" || len(s.Model) > maxModel:
		return fault.Field("model", "want 1 to %d bytes", maxModel)
	case !utf8.ValidString(s.Model) || strings.ContainsFunc(s.Model, notPrintable) || strings.TrimSpace(s.Model) != s.Model:
		return fault.Field("model", "want UTF-8 of printable characters, without spaces around it; got %q", s.Model)
	case s.Rates == Rates{} && s.PerRequest == 0 && s.PerImage == nil:
		return fault.Field("rates", "want at least one price; to have none, archive the override")
	case s.LongContextThreshold < 0:
		return fault.Field("long_context_threshold", "want a count of tokens")
	case s.LongContextThreshold > 0 && s.LongRates == Rates{}:
		return fault.Field("long_rates", "want at least one price above long_context_threshold")
	case s.LongContextThreshold == 0 && s.LongRates != Rates{}:
		return fault.Field("long_context_threshold", "want the tokens above which long_rates count")
	}
	if s.Marginal && s.LongContextThreshold == 0 {
		return fault.Field("long_context", "want the tokens above which long_rates count")
	}
	if err := s.Rates.check("rates"); err != nil {
		return err
	}
	if err := s.LongRates.check("long_rates"); err != nil {
		return err
	}
	return s.checkMore()
}
