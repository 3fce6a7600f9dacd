// Package limit decides about limits: how many requests or tokens may come in a while,
// or how many requests at once. It knows no clock and no I/O.
package limit

import (
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/quota"
	"github.com/weirhq/weir/controlplane/internal/slug"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	thing     = "limit"
	maxAmount = 1_000_000_000_000_000
)

// Limit is a bound on requests or tokens as the log has it.
type Limit struct {
	ID uuid.UUID `json:"id"`
	Settings
	CreatedAt time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Settings are what people choose. What they are for, Scope and Metric, can't change.
type Settings struct {
	Name   string              `json:"name"`
	Scope  quota.Scope         `json:"scope"`
	Metric eventv1.LimitMetric `json:"metric"`
	// Amount of requests or tokens, in a window or at once.
	Amount int64 `json:"amount"`
	// Window is unspecified for concurrent requests.
	Window          eventv1.LimitWindow     `json:"window,omitempty"`
	Mode            eventv1.QuotaMode       `json:"mode"`
	WhenUnreachable eventv1.WhenUnreachable `json:"when_unreachable"`
}

var lengths = map[eventv1.LimitWindow]time.Duration{
	eventv1.LimitWindow_LIMIT_WINDOW_SECOND: time.Second,
	eventv1.LimitWindow_LIMIT_WINDOW_MINUTE: time.Minute,
	eventv1.LimitWindow_LIMIT_WINDOW_HOUR:   time.Hour,
	eventv1.LimitWindow_LIMIT_WINDOW_DAY:    24 * time.Hour,
}

// Length of its windows; 0: concurrent requests have none.
func (s Settings) Length() time.Duration { return lengths[s.Window] }

// WindowAt returns the window that contains an instant, on the grid of UTC; the zero
// Span for concurrent requests, which have none.
func (s Settings) WindowAt(t time.Time) quota.Span {
	if length := s.Length(); length > 0 {
		return quota.Grid(t, length)
	}
	return quota.Span{}
}

func (s Settings) check() error {
	if err := slug.Check("name", s.Name); err != nil {
		return err
	}
	concurrent := s.Metric == eventv1.LimitMetric_LIMIT_METRIC_CONCURRENT_REQUESTS
	switch {
	case s.Metric < eventv1.LimitMetric_LIMIT_METRIC_REQUESTS || s.Metric > eventv1.LimitMetric_LIMIT_METRIC_CONCURRENT_REQUESTS:
		return fault.Field("metric", "want LIMIT_METRIC_REQUESTS, LIMIT_METRIC_TOKENS or LIMIT_METRIC_CONCURRENT_REQUESTS")
	case s.Amount < 1 || s.Amount > maxAmount:
		return fault.Field("amount", "want 1 to %d, got %d", int64(maxAmount), s.Amount)
	case concurrent && s.Window != eventv1.LimitWindow_LIMIT_WINDOW_UNSPECIFIED:
		return fault.Field("window", "concurrent requests are bound at every moment; leave it out")
	case !concurrent && lengths[s.Window] == 0:
		return fault.Field("window", "want LIMIT_WINDOW_SECOND, _MINUTE, _HOUR or _DAY")
	case s.WhenUnreachable != eventv1.WhenUnreachable_WHEN_UNREACHABLE_ALLOW && s.WhenUnreachable != eventv1.WhenUnreachable_WHEN_UNREACHABLE_REFUSE:
		return fault.Field("when_unreachable", "want WHEN_UNREACHABLE_ALLOW or WHEN_UNREACHABLE_REFUSE: what becomes of requests while the ledger is away")
	}
	return quota.CheckMode(s.Mode)
}
