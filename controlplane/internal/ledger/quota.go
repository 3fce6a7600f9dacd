package ledger

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// bound is a quota as the ledger counts it: a limit or a budget that is not off.
type bound struct {
	id   uuid.UUID
	hard bool
	// shares: it bounds a rate or how many at once, and is not counted by windows.
	shares bool
	// apart: each subject counts apart.
	apart  bool
	amount int64
	window quota.Window
	// carryOver adds what one window leaves to the next.
	carryOver  bool
	raise      int64
	raiseUntil time.Time
	// telling is what to say of a budget's percents; nil: nothing.
	telling *telling
	// since when there is one, of a budget.
	since time.Time
}

func ofBudget(b budget.Budget) (bound, bool) {
	q := bound{
		id: b.ID, hard: b.Mode == eventv1.QuotaMode_QUOTA_MODE_HARD, apart: b.Scope.Apart(),
		amount: b.AmountNanoUSD, window: b.Window, carryOver: b.CarryOver, since: b.CreatedAt,
	}
	if b.Raised != nil {
		q.raise, q.raiseUntil = b.Raised.AmountNanoUSD, b.Raised.ExpiresAt
	}
	if len(b.AlertPercents) > 0 {
		q.telling = &telling{name: b.Name, mode: modeNames[b.Mode], percents: b.AlertPercents, channels: b.AlertChannelIDs}
	}
	return q, counted(b.Mode)
}

func ofLimit(l limit.Limit) (bound, bool) {
	q := bound{id: l.ID, hard: l.Mode == eventv1.QuotaMode_QUOTA_MODE_HARD, apart: l.Scope.Apart(), amount: l.Amount}
	switch l.Window { // both on the grid of UTC
	case eventv1.LimitWindow_LIMIT_WINDOW_HOUR:
		q.window.Calendar = &quota.Calendar{Period: eventv1.CalendarPeriod_CALENDAR_PERIOD_HOUR, TimeZone: "UTC"}
	case eventv1.LimitWindow_LIMIT_WINDOW_DAY:
		q.window.Calendar = &quota.Calendar{Period: eventv1.CalendarPeriod_CALENDAR_PERIOD_DAY, TimeZone: "UTC"}
	default:
		q.shares = true
	}
	return q, counted(l.Mode)
}

func counted(m eventv1.QuotaMode) bool {
	return m == eventv1.QuotaMode_QUOTA_MODE_HARD || m == eventv1.QuotaMode_QUOTA_MODE_SOFT || m == eventv1.QuotaMode_QUOTA_MODE_SHADOW
}

// span is the window of accounts that contains an instant; of a rolling window that is a
// sub-window. The zero Span is for ever.
func (q bound) span(t time.Time) (quota.Span, error) {
	if q.window.Rolling != nil {
		return q.window.Rolling.SubWindow(t), nil
	}
	return q.window.At(t)
}

// shown is the window that people see while an account's window runs.
func (q bound) shown(s quota.Span) quota.Span {
	if q.window.Rolling != nil {
		return quota.Span{Start: s.End.Add(-q.window.Rolling.Duration), End: s.End}
	}
	return s
}

// total is the amount with what was raised.
func (q bound) total(now time.Time) int64 {
	if now.Before(q.raiseUntil) {
		return add(q.amount, q.raise)
	}
	return q.amount
}

// forEver is the id of the window without bounds.
const forEver = "lifetime"

// windowID names a window for agents: both of its bounds, so that a quota whose windows
// were changed counts anew and an old name still says when it was.
func windowID(s quota.Span) string {
	if s == (quota.Span{}) {
		return forEver
	}
	return s.Start.UTC().Format(time.RFC3339) + "/" + s.End.UTC().Format(time.RFC3339)
}

// parseWindow is the inverse of windowID; false: no window has this name.
func parseWindow(id string) (s quota.Span, ok bool) {
	if id == forEver {
		return s, true
	}
	start, end, _ := strings.Cut(id, "/")
	var err error
	if s.Start, err = time.Parse(time.RFC3339, start); err != nil {
		return s, false
	}
	if s.End, err = time.Parse(time.RFC3339, end); err != nil {
		return s, false
	}
	s.Start, s.End = s.Start.UTC(), s.End.UTC()
	return s, s.Start.Before(s.End) && s.Start.Year() > 1970 && s.End.Year() < 10000 && windowID(s) == id
}

// most bounds every total and sum, so that none of them overflows.
const most = 1 << 62

// add is a + b, at most `most` in either direction.
func add(a, b int64) int64 { return max(-most, min(most, a+b)) }
