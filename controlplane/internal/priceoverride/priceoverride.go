// Package priceoverride decides about the prices that an organization pays for
// models, where they are not the built-in price book's. Amounts are pico-dollars per
// token, as in the book. It knows no clock and no I/O.
package priceoverride

import (
	"reflect"
	"time"

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
}

// Name is "<price list>/<model>".
func (s Settings) Name() string { return s.PriceList + "/" + s.Model }

func (s Settings) equal(other Settings) bool { return reflect.DeepEqual(s, other) }

func (s Settings) check() error {
	if err := slug.Check("price_list", s.PriceList); err != nil {
		return err
	}
	switch {
	case s.Model == "" || len(s.Model) > maxModel:
		return fault.Field("model", "want 1 to %d bytes", maxModel)
	case s.Rates == Rates{}:
		return fault.Field("rates", "want at least one price; to have none, archive the override")
	case s.LongContextThreshold < 0:
		return fault.Field("long_context_threshold", "want a count of tokens")
	case s.LongContextThreshold > 0 && s.LongRates == Rates{}:
		return fault.Field("long_rates", "want at least one price above long_context_threshold")
	case s.LongContextThreshold == 0 && s.LongRates != Rates{}:
		return fault.Field("long_context_threshold", "want the tokens above which long_rates count")
	}
	if err := s.Rates.check("rates"); err != nil {
		return err
	}
	return s.LongRates.check("long_rates")
}
