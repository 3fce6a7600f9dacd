package priceoverride

import (
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(p PriceOverride, e eventlog.Event) (PriceOverride, error) {
	switch body := e.Body.(type) {
	case *eventv1.PriceOverrideCreated:
		p = PriceOverride{ID: e.Subject, CreatedAt: e.RecordedAt, Settings: fromEvent(body.GetSettings())}
	case *eventv1.PriceOverrideUpdated:
		p.Settings = fromEvent(body.GetSettings())
	case *eventv1.PriceOverrideRestored:
		p = PriceOverride{ID: e.Subject, CreatedAt: body.GetCreatedAt().AsTime(), Settings: fromEvent(body.GetSettings())}
	default:
		return p, fmt.Errorf("fold price override: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	p.Version = e.Version
	return p, nil
}

func (s Settings) toEvent() *eventv1.PriceOverrideSettings {
	return &eventv1.PriceOverrideSettings{
		PriceList: s.PriceList, Model: s.Model, Rates: s.Rates.toEvent(),
		LongContextThreshold: s.LongContextThreshold, LongRates: s.LongRates.toEvent(),
	}
}

func fromEvent(s *eventv1.PriceOverrideSettings) Settings {
	return Settings{
		PriceList: s.GetPriceList(), Model: s.GetModel(), Rates: ratesFromEvent(s.GetRates()),
		LongContextThreshold: s.GetLongContextThreshold(), LongRates: ratesFromEvent(s.GetLongRates()),
	}
}

func (r Rates) toEvent() *eventv1.Rates {
	if (r == Rates{}) {
		return nil
	}
	return &eventv1.Rates{
		Input: r.Input, CacheRead: r.CacheRead, CacheWrite_5M: r.CacheWrite5m, CacheWrite_1H: r.CacheWrite1h,
		Output: r.Output, InputAudio: r.InputAudio, OutputAudio: r.OutputAudio,
	}
}

func ratesFromEvent(r *eventv1.Rates) Rates {
	if r == nil {
		return Rates{}
	}
	return Rates{
		Input: r.Input, CacheRead: r.CacheRead, CacheWrite5m: r.CacheWrite_5M, CacheWrite1h: r.CacheWrite_1H,
		Output: r.Output, InputAudio: r.InputAudio, OutputAudio: r.OutputAudio,
	}
}
