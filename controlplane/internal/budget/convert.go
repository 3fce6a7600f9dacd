package budget

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func (s Settings) toEvent() *eventv1.BudgetSettings {
	e := &eventv1.BudgetSettings{
		Name: s.Name, Scope: s.Scope.ToEvent(), AmountNanoUsd: s.AmountNanoUSD, CarryOver: s.CarryOver, AlertPercents: s.AlertPercents,
		Mode: s.Mode, WhenUnreachable: s.WhenUnreachable,
	}
	switch w := s.Window; {
	case w.Calendar != nil:
		e.Window = &eventv1.BudgetSettings_Calendar{Calendar: &eventv1.CalendarWindow{Period: w.Calendar.Period, TimeZone: w.Calendar.TimeZone}}
	case w.Rolling != nil:
		e.Window = &eventv1.BudgetSettings_Rolling{Rolling: &eventv1.RollingWindow{DurationSeconds: int64(w.Rolling.Duration / time.Second)}}
	case w.Lifetime:
		e.Window = &eventv1.BudgetSettings_Lifetime{Lifetime: &eventv1.LifetimeWindow{}}
	}
	for _, id := range s.AlertChannelIDs {
		e.AlertChannelIds = append(e.AlertChannelIds, id.String())
	}
	return e
}

func fromEvent(e *eventv1.BudgetSettings) (s Settings, err error) {
	s = Settings{
		Name: e.GetName(), AmountNanoUSD: e.GetAmountNanoUsd(), Window: windowFromEvent(e), CarryOver: e.GetCarryOver(),
		AlertPercents: e.GetAlertPercents(), Mode: e.GetMode(), WhenUnreachable: e.GetWhenUnreachable(),
	}
	if s.Scope, err = quota.FromEvent(e.GetScope()); err != nil {
		return s, err
	}
	for _, text := range e.GetAlertChannelIds() {
		id, err := uuid.Parse(text)
		if err != nil {
			return s, fmt.Errorf("alert channel: %w", err)
		}
		s.AlertChannelIDs = append(s.AlertChannelIDs, id)
	}
	return s, nil
}

func windowFromEvent(e *eventv1.BudgetSettings) quota.Window {
	switch w := e.GetWindow().(type) {
	case *eventv1.BudgetSettings_Calendar:
		return quota.Window{Calendar: &quota.Calendar{Period: w.Calendar.GetPeriod(), TimeZone: w.Calendar.GetTimeZone()}}
	case *eventv1.BudgetSettings_Rolling:
		return quota.Window{Rolling: &quota.Rolling{Duration: time.Duration(w.Rolling.GetDurationSeconds()) * time.Second}}
	case *eventv1.BudgetSettings_Lifetime:
		return quota.Window{Lifetime: true}
	}
	return quota.Window{}
}

func (r Raise) toEvent() *eventv1.BudgetRaised {
	return &eventv1.BudgetRaised{AmountNanoUsd: r.AmountNanoUSD, ExpiresAt: timestamppb.New(r.ExpiresAt), Reason: r.Reason}
}

// raiseFromEvent returns nil for nil.
func raiseFromEvent(e *eventv1.BudgetRaised) *Raise {
	if e == nil {
		return nil
	}
	return &Raise{AmountNanoUSD: e.GetAmountNanoUsd(), ExpiresAt: e.GetExpiresAt().AsTime(), Reason: e.GetReason()}
}
