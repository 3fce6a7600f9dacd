package report

import (
	"slices"
	"time"
)

// Intervals of QueryMetrics alone.
const (
	Week Interval = iota + 4
	Month
)

// least is how long one lasts at least; 0: there is no such interval.
func (i Interval) least() time.Duration {
	return map[Interval]time.Duration{
		Minute: time.Minute, Hour: time.Hour, Day: 23 * time.Hour, Week: 167 * time.Hour, Month: 27 * 24 * time.Hour,
	}[i]
}

// calendar is the intervals of [from, to), and finds them by what ClickHouse calls them:
// Unix seconds of minutes and hours, else days since 1970.
type calendar struct {
	starts []time.Time
	keys   []int64
}

func newCalendar(i Interval, from, to time.Time, in *time.Location) calendar {
	var c calendar
	for at := i.start(from.In(in)); at.Before(to); at = i.next(at) {
		key := at.Unix()
		if i >= Day {
			key = dayNumber(at)
		}
		c.starts, c.keys = append(c.starts, at), append(c.keys, key)
	}
	return c
}

// index of the interval that has the key; -1: it is before the first one.
func (c calendar) index(key int64) int {
	at, found := slices.BinarySearch(c.keys, key)
	if found {
		return at
	}
	return at - 1
}

// start of the interval that t lies in, by the calendar of its location.
func (i Interval) start(t time.Time) time.Time {
	y, m, d := t.Date()
	switch i {
	case Minute:
		return t.Truncate(time.Minute)
	case Hour:
		_, offset := t.Zone()
		return t.Add(-time.Duration((t.Unix()+int64(offset))%3600)*time.Second - time.Duration(t.Nanosecond()))
	case Week:
		return firstInstant(y, m, d-(int(t.Weekday())+6)%7, t.Location())
	case Month:
		return firstInstant(y, m, 1, t.Location())
	}
	return firstInstant(y, m, d, t.Location())
}

func (i Interval) next(start time.Time) time.Time {
	y, m, d := start.Date()
	switch i {
	case Minute:
		return start.Add(time.Minute)
	case Hour:
		return start.Add(time.Hour)
	case Week:
		return firstInstant(y, m, d+7, start.Location())
	case Month:
		return firstInstant(y, m+1, 1, start.Location())
	}
	return firstInstant(y, m, d+1, start.Location())
}

// firstInstant of a day, which is not midnight where clocks are put forward at midnight,
// and the first of two where they are put back to it.
func firstInstant(year int, month time.Month, day int, in *time.Location) time.Time {
	noon := time.Date(year, month, day, 12, 0, 0, 0, in)
	t := time.Date(year, month, day, 0, 0, 0, 0, in)
	for t.Day() != noon.Day() {
		t = t.Add(30 * time.Minute)
	}
	for t.Add(-30*time.Minute).Day() == noon.Day() {
		t = t.Add(-30 * time.Minute)
	}
	return t
}

// dayNumber is the days since 1970 of a date, as ClickHouse counts them.
func dayNumber(t time.Time) int64 {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// daysBetween is how many days of the calendar a range of times takes.
func daysBetween(from, to time.Time) int {
	days := int(dayNumber(to) - dayNumber(from))
	if from.AddDate(0, 0, days).Before(to) {
		days++
	}
	return days
}

// monthsBetween is 0 where a range is not of whole months.
func monthsBetween(from, to time.Time) int {
	months := (to.Year()-from.Year())*12 + int(to.Month()-from.Month())
	if from.Day() != 1 || to.Day() != 1 || !from.AddDate(0, months, 0).Equal(to) {
		return 0
	}
	return months
}
