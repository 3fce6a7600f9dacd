package quota

import (
	"time"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

const (
	// SubWindows is how many a rolling window is made of.
	SubWindows = 60

	minRolling = time.Minute
	maxRolling = 366 * 24 * time.Hour
)

// Window is how long something is counted before it is counted anew: one of the three.
type Window struct {
	Calendar *Calendar `json:"calendar,omitempty"`
	Rolling  *Rolling  `json:"rolling,omitempty"`
	// Lifetime: for ever.
	Lifetime bool `json:"lifetime,omitempty"`
}

// Rolling is the time until now, which moves on by a sub-window at once.
type Rolling struct {
	// Duration in whole minutes, so that a sub-window has whole seconds.
	Duration time.Duration `json:"duration_ns"`
}

// Check refuses windows that could not be computed.
func (w Window) Check() error {
	switch {
	case w.Calendar != nil:
		return w.Calendar.check()
	case w.Rolling == nil && !w.Lifetime:
		return fault.Field("window", "want calendar, rolling or lifetime")
	case w.Rolling == nil:
		return nil
	}
	if d := w.Rolling.Duration; d < minRolling || d > maxRolling || d%time.Minute != 0 {
		return fault.Field("window.rolling.duration", "want whole minutes, 1 minute to 366 days; got %s", d)
	}
	return nil
}

// At returns the window that contains an instant. Without bounds: it is for ever. The
// error is a time zone's that this machine does not know.
func (w Window) At(t time.Time) (Span, error) {
	switch {
	case w.Calendar != nil:
		return w.Calendar.At(t)
	case w.Rolling != nil:
		return w.Rolling.At(t), nil
	}
	return Span{}, nil
}

// SubWindow returns the sub-window that contains an instant; they tile time.
func (r Rolling) SubWindow(t time.Time) Span { return Grid(t, r.Duration/SubWindows) }

// At returns the sub-window that contains an instant and those before it that count
// with it: SubWindows in all.
func (r Rolling) At(t time.Time) Span {
	end := r.SubWindow(t).End
	return Span{end.Add(-r.Duration), end}
}
