package quota

import (
	"fmt"
	"regexp"
	"sort"
	"time"
	_ "time/tzdata" // zones are known where the machine has none

	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// zoneName is the form of IANA's names. Machines have more files than zones in the
// folder; those begin with a small letter.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z0-9+_-]*(/[A-Za-z0-9+_-]+)*$`)

// farEast is more than any zone was ever ahead of UTC (15 h 2 min, in Alaska until 1867).
const farEast = 16 * time.Hour

// Calendar is a period as the clocks and calendars of a time zone show it.
type Calendar struct {
	Period eventv1.CalendarPeriod `json:"period"`
	// TimeZone by its IANA name.
	TimeZone string `json:"time_zone"`
}

func (c Calendar) check() error {
	if c.Period < eventv1.CalendarPeriod_CALENDAR_PERIOD_MINUTE || c.Period > eventv1.CalendarPeriod_CALENDAR_PERIOD_YEAR {
		return fault.Field("window.calendar.period", "want a minute, hour, day, week, month, quarter or year")
	}
	if _, err := c.zone(); err != nil {
		return fault.Field("window.calendar.time_zone", "is no IANA time zone, like Europe/Berlin; got %q", c.TimeZone)
	}
	return nil
}

func (c Calendar) zone() (*time.Location, error) {
	if !zoneName.MatchString(c.TimeZone) || c.TimeZone == "Local" {
		return nil, fmt.Errorf("%q is no time zone", c.TimeZone)
	}
	return time.LoadLocation(c.TimeZone)
}

// At returns the window that contains an instant. An hour that clocks show twice is two
// windows; one that is cut by a change of clocks is shorter.
func (c Calendar) At(t time.Time) (Span, error) {
	zone, err := c.zone()
	if err != nil {
		return Span{}, fmt.Errorf("window of a calendar: %w", err)
	}
	switch c.Period {
	case eventv1.CalendarPeriod_CALENDAR_PERIOD_MINUTE:
		return ofClock(t, time.Minute, zone), nil
	case eventv1.CalendarPeriod_CALENDAR_PERIOD_HOUR:
		return ofClock(t, time.Hour, zone), nil
	}
	first := c.first(t.In(zone))
	span := Span{begins(first, zone), begins(c.next(first), zone)}
	for !t.Before(span.End) { // clocks were put back over midnight, and show the day before again
		first = c.next(first)
		span = Span{span.End, begins(c.next(first), zone)}
	}
	return span, nil
}

// first is the date that the period of a local time begins on, at midnight UTC.
func (c Calendar) first(local time.Time) time.Time {
	year, month, day := local.Date()
	switch c.Period {
	case eventv1.CalendarPeriod_CALENDAR_PERIOD_WEEK:
		day -= (int(local.Weekday()) + 6) % 7 // days since Monday
	case eventv1.CalendarPeriod_CALENDAR_PERIOD_MONTH:
		day = 1
	case eventv1.CalendarPeriod_CALENDAR_PERIOD_QUARTER:
		month, day = month-(month-1)%3, 1
	case eventv1.CalendarPeriod_CALENDAR_PERIOD_YEAR:
		month, day = time.January, 1
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// next is the first date of the period after the one that begins on a date.
func (c Calendar) next(first time.Time) time.Time {
	switch c.Period {
	case eventv1.CalendarPeriod_CALENDAR_PERIOD_WEEK:
		return first.AddDate(0, 0, 7)
	case eventv1.CalendarPeriod_CALENDAR_PERIOD_MONTH:
		return first.AddDate(0, 1, 0)
	case eventv1.CalendarPeriod_CALENDAR_PERIOD_QUARTER:
		return first.AddDate(0, 3, 0)
	case eventv1.CalendarPeriod_CALENDAR_PERIOD_YEAR:
		return first.AddDate(1, 0, 0)
	}
	return first.AddDate(0, 0, 1)
}

// begins is the first instant at which a zone's clocks show a date, or a later one
// where they leap over it. time.Date says less: where midnight is left out, or is
// twice, it takes either side.
func begins(date time.Time, zone *time.Location) time.Time {
	from := date.Add(-farEast)
	changed := change(from, date.Add(farEast), zone)
	if shown := date.Add(-ahead(from, zone)); shown.Before(changed) {
		return shown
	}
	if shown := date.Add(-ahead(changed, zone)); shown.After(changed) {
		return shown
	}
	return changed
}

// ofClock is the minute or hour that a zone's clocks show, as far as they are not put
// forward or back meanwhile.
func ofClock(t time.Time, length time.Duration, zone *time.Location) Span {
	shift := ahead(t, zone)
	start := t.UTC().Add(shift).Truncate(length).Add(-shift)
	end := start.Add(length)
	if ahead(start, zone) != shift {
		start = change(start, end, zone)
	}
	return Span{start, change(start, end, zone)}
}

// ahead is how far a zone's clocks are ahead of UTC at an instant.
func ahead(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// change is the first second at which a zone's clocks are not as far ahead as at from;
// to, if there is none before it. Clocks change once in a day or two, at most.
// ZoneBounds would say it, but is wrong on the last day of leap years (Go 1.26).
func change(from, to time.Time, zone *time.Location) time.Time {
	was := ahead(from, zone)
	seconds := sort.Search(int(to.Sub(from)/time.Second), func(i int) bool {
		return ahead(from.Add(time.Duration(i)*time.Second), zone) != was
	})
	return from.Add(time.Duration(seconds) * time.Second)
}
