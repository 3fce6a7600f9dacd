// Package budget decides about budgets: how much money may be spent in a while. Amounts
// are nano-dollars. It knows no clock and no I/O.
package budget

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/quota"
	"github.com/weirhq/weir/controlplane/internal/slug"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	thing = "budget"
	// maxAmount is a billion dollars; with a raise as large, int64 has room to spare.
	maxAmount     = 1_000_000_000_000_000_000
	maxThresholds = 20
	maxChannels   = 10
	maxRaise      = 366 * 24 * time.Hour
)

// Budget is a bound on money as the log has it.
type Budget struct {
	ID uuid.UUID `json:"id"`
	Settings
	// Raised is the last raise, over or not; nil: there was none.
	Raised    *Raise    `json:"raised,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Settings are what people choose. The scope can't change.
type Settings struct {
	Name          string       `json:"name"`
	Scope         quota.Scope  `json:"scope"`
	AmountNanoUSD int64        `json:"amount_nano_usd"`
	Window        quota.Window `json:"window"`
	// CarryOver adds what one window leaves to the next.
	CarryOver bool `json:"carry_over,omitempty"`
	// AlertPercents in percent, ascending.
	AlertPercents   []int32                 `json:"alert_percents,omitempty"`
	AlertChannelIDs []uuid.UUID             `json:"alert_channel_ids,omitempty"`
	Mode            eventv1.QuotaMode       `json:"mode"`
	WhenUnreachable eventv1.WhenUnreachable `json:"when_unreachable,omitempty"`
}

// Raise is more money for some time.
type Raise struct {
	// AmountNanoUSD is what is added.
	AmountNanoUSD int64     `json:"amount_nano_usd"`
	ExpiresAt     time.Time `json:"expires_at"`
	Reason        string    `json:"reason,omitempty"`
}

// World is what decisions about a budget depend on.
type World struct {
	quota.World
	// AlertChannels are those of the organization that AlertChannelIDs name.
	AlertChannels map[uuid.UUID]bool
}

func (s Settings) check(w World) error {
	if err := slug.Check("name", s.Name); err != nil {
		return err
	}
	if err := checkAmount(s.AmountNanoUSD); err != nil {
		return err
	}
	if err := s.Window.Check(); err != nil {
		return err
	}
	if _, known := eventv1.WhenUnreachable_name[int32(s.WhenUnreachable)]; !known {
		return fault.Field("when_unreachable", "want WHEN_UNREACHABLE_ALLOW or WHEN_UNREACHABLE_REFUSE, or leave it out")
	}
	if s.Mode == eventv1.QuotaMode_QUOTA_MODE_SOFT && s.WhenUnreachable == eventv1.WhenUnreachable_WHEN_UNREACHABLE_UNSPECIFIED {
		return fault.Field("when_unreachable", "want WHEN_UNREACHABLE_ALLOW or WHEN_UNREACHABLE_REFUSE: a soft budget says what becomes of requests while the ledger is away")
	}
	if s.CarryOver && s.Window.Calendar == nil {
		return fault.Field("carry_over", "only windows of a calendar have a next one to carry over to")
	}
	if err := s.checkAlerts(w); err != nil {
		return err
	}
	return quota.CheckMode(s.Mode)
}

func checkAmount(nano int64) error {
	if nano < 1 || nano > maxAmount {
		return fault.Field("amount_nano_usd", "want 1 to %d, a billion dollars; got %d", int64(maxAmount), nano)
	}
	return nil
}

func (s Settings) checkAlerts(w World) error {
	switch {
	case len(s.AlertPercents) > maxThresholds:
		return fault.Field("alert_percents", "at most %d, got %d", maxThresholds, len(s.AlertPercents))
	case len(s.AlertChannelIDs) > maxChannels:
		return fault.Field("alert_channel_ids", "at most %d, got %d", maxChannels, len(s.AlertChannelIDs))
	case len(s.AlertPercents) > 0 && len(s.AlertChannelIDs) == 0:
		return fault.Field("alert_channel_ids", "want a channel to tell of the alert_percents")
	case len(s.AlertPercents) == 0 && len(s.AlertChannelIDs) > 0:
		return fault.Field("alert_percents", "want the percents that the channels are told at")
	}
	before := int32(0)
	for i, percent := range s.AlertPercents {
		if percent <= before || percent > 100 {
			return fault.Field(fmt.Sprintf("alert_percents[%d]", i), "want 1 to 100 in ascending order, each once; got %d", percent)
		}
		before = percent
	}
	for i, id := range s.AlertChannelIDs {
		if slices.Contains(s.AlertChannelIDs[:i], id) {
			return fault.Field(fmt.Sprintf("alert_channel_ids[%d]", i), "the channel %s is there twice", id)
		}
		if !w.AlertChannels[id] {
			return fault.Because(fault.NotFound, "alert_channel_not_found", "alert_channel_ids[%d]: no alert channel %s", i, id)
		}
	}
	return nil
}
