package quota_test

import (
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	minute  = eventv1.CalendarPeriod_CALENDAR_PERIOD_MINUTE
	hour    = eventv1.CalendarPeriod_CALENDAR_PERIOD_HOUR
	day     = eventv1.CalendarPeriod_CALENDAR_PERIOD_DAY
	week    = eventv1.CalendarPeriod_CALENDAR_PERIOD_WEEK
	month   = eventv1.CalendarPeriod_CALENDAR_PERIOD_MONTH
	quarter = eventv1.CalendarPeriod_CALENDAR_PERIOD_QUARTER
	year    = eventv1.CalendarPeriod_CALENDAR_PERIOD_YEAR
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func TestCalendar(t *testing.T) {
	for _, c := range []struct {
		name   string
		period eventv1.CalendarPeriod
		zone   string
		at     string
		want   [2]string
	}{
		{"minute", minute, "UTC", "2026-07-01T12:34:56Z", [2]string{"2026-07-01T12:34:00Z", "2026-07-01T12:35:00Z"}},
		{"hour_of_a_zone_with_quarters", hour, "Asia/Kathmandu", "2026-07-01T12:14:59Z", [2]string{"2026-07-01T11:15:00Z", "2026-07-01T12:15:00Z"}},
		{"hour_before_clocks_go_back", hour, "Europe/Berlin", "2026-10-25T00:30:00Z", [2]string{"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"}},
		{"the_same_hour_again", hour, "Europe/Berlin", "2026-10-25T01:30:00Z", [2]string{"2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"}},
		{"hour_cut_by_half_an_hour_back", hour, "Australia/Lord_Howe", "2026-04-04T15:10:00Z", [2]string{"2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z"}},
		{"day", day, "Europe/Berlin", "2026-07-01T21:59:59Z", [2]string{"2026-06-30T22:00:00Z", "2026-07-01T22:00:00Z"}},
		{"day_of_23_hours", day, "Europe/Berlin", "2026-03-29T12:00:00Z", [2]string{"2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}},
		{"day_of_25_hours", day, "Europe/Berlin", "2026-10-25T12:00:00Z", [2]string{"2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}},
		{"day_without_a_midnight", day, "America/Sao_Paulo", "2018-11-04T03:00:00Z", [2]string{"2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}},
		{"day_before_it", day, "America/Sao_Paulo", "2018-11-04T02:59:59Z", [2]string{"2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"}},
		{"day_with_two_midnights", day, "America/Havana", "2026-11-01T05:30:00Z", [2]string{"2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"}},
		{"clocks_show_the_day_before_again", day, "America/St_Johns", "2006-10-29T03:00:00Z", [2]string{"2006-10-29T02:30:00Z", "2006-10-30T03:30:00Z"}},
		{"day_before_one_that_was_left_out", day, "Pacific/Apia", "2011-12-30T09:00:00Z", [2]string{"2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"}},
		{"day_after_one_that_was_left_out", day, "Pacific/Apia", "2011-12-30T10:00:00Z", [2]string{"2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"}},
		{"week_on_its_sunday", week, "UTC", "2026-07-05T23:59:59Z", [2]string{"2026-06-29T00:00:00Z", "2026-07-06T00:00:00Z"}},
		{"week_on_its_monday", week, "UTC", "2026-07-06T00:00:00Z", [2]string{"2026-07-06T00:00:00Z", "2026-07-13T00:00:00Z"}},
		{"week_over_a_year_s_end", week, "America/New_York", "2027-01-01T12:00:00Z", [2]string{"2026-12-28T05:00:00Z", "2027-01-04T05:00:00Z"}},
		{"february", month, "UTC", "2027-02-28T12:00:00Z", [2]string{"2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"}},
		{"february_of_a_leap_year", month, "UTC", "2028-02-29T12:00:00Z", [2]string{"2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"}},
		{"month_with_a_change_of_clocks", month, "Europe/Berlin", "2026-03-31T21:59:59Z", [2]string{"2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"}},
		{"quarter", quarter, "UTC", "2026-06-30T23:00:00Z", [2]string{"2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z"}},
		{"last_quarter", quarter, "UTC", "2026-12-31T23:00:00Z", [2]string{"2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"}},
		{"year", year, "Asia/Tokyo", "2026-12-31T15:00:00Z", [2]string{"2026-12-31T15:00:00Z", "2027-12-31T15:00:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := quota.Window{Calendar: &quota.Calendar{Period: c.period, TimeZone: c.zone}}.At(at(c.at))
			if want := (quota.Span{Start: at(c.want[0]), End: at(c.want[1])}); err != nil || got != want {
				t.Errorf("got %v, %v; want %v", got, err, want)
			}
		})
	}
}

// strange are zones whose clocks did what is easily forgotten.
var strange = []string{
	"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "America/St_Johns", "America/Goose_Bay", "America/Juneau",
	"Asia/Kathmandu", "Asia/Manila", "Asia/Beirut", "Africa/Cairo", "Africa/Monrovia", "Africa/Casablanca", "Australia/Lord_Howe", "Antarctica/Troll",
	"Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati", "Etc/GMT+12", "Etc/GMT-14",
}

// Windows tile time: every instant is in exactly one of them, and each begins where
// the one before ends.
func TestWindowsTileTime(t *testing.T) {
	begin, end := at("2010-01-01T00:00:00Z"), at("2042-01-01T00:00:00Z")
	var instants []time.Time
	for range 50 {
		instants = append(instants, begin.Add(rand.N(end.Sub(begin))))
	}
	for _, zone := range strange {
		critical := slices.Clone(instants)
		for _, change := range changes(t, zone, begin, end) {
			critical = append(critical, change.Add(-1), change, change.Add(time.Hour), change.Add(rand.N(40*time.Hour)))
		}
		for period := minute; period <= year; period++ {
			t.Run(period.String()+" in "+zone, func(t *testing.T) {
				tile(t, quota.Calendar{Period: period, TimeZone: zone}.At, critical)
			})
		}
	}
	for _, duration := range []time.Duration{time.Minute, 7 * time.Minute, 5 * time.Hour, 30 * 24 * time.Hour, 366 * 24 * time.Hour} {
		t.Run("sub-windows of "+duration.String(), func(t *testing.T) {
			tile(t, func(t time.Time) (quota.Span, error) { return quota.Rolling{Duration: duration}.SubWindow(t), nil }, instants)
		})
	}
}

func tile(t *testing.T, window func(time.Time) (quota.Span, error), instants []time.Time) {
	t.Helper()
	for _, instant := range instants {
		span, err := window(instant)
		if err != nil || !span.Contains(instant) {
			t.Fatalf("%s is not in %v, %v", instant, span, err)
		}
		for _, inside := range []time.Time{span.Start, span.End.Add(-1)} {
			if same, err := window(inside); err != nil || same != span {
				t.Fatalf("%s is in %v and in %v, %v", inside, span, same, err)
			}
		}
		if next, err := window(span.End); err != nil || !next.Start.Equal(span.End) {
			t.Fatalf("after %v comes %v, %v", span, next, err)
		}
	}
}

// changes are the seconds at which the clocks of a zone change.
func changes(t *testing.T, zone string, begin, end time.Time) (all []time.Time) {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	ahead := func(t time.Time) int {
		_, seconds := t.In(location).Zone()
		return seconds
	}
	const day = 24 * time.Hour
	for from := begin; from.Before(end); from = from.Add(day) {
		if ahead(from) != ahead(from.Add(day)) {
			until := sort.Search(int(day/time.Second), func(i int) bool { return ahead(from.Add(time.Duration(i)*time.Second)) != ahead(from) })
			all = append(all, from.Add(time.Duration(until)*time.Second))
		}
	}
	return all
}

func TestRolling(t *testing.T) {
	hourly := quota.Rolling{Duration: time.Hour}
	now := at("2026-07-01T12:34:56Z")
	if got, want := hourly.At(now), (quota.Span{Start: at("2026-07-01T11:35:00Z"), End: at("2026-07-01T12:35:00Z")}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	window, subs := hourly.At(now), 0
	for from := window.Start; from.Before(window.End); from = hourly.SubWindow(from).End {
		subs++
	}
	if subs != quota.SubWindows {
		t.Errorf("made of %d sub-windows", subs)
	}
	if span, err := (quota.Window{Lifetime: true}).At(now); span != (quota.Span{}) || err != nil {
		t.Errorf("lifetime: %v, %v", span, err)
	}
}

func TestCheck(t *testing.T) {
	of := func(period eventv1.CalendarPeriod, zone string) quota.Window {
		return quota.Window{Calendar: &quota.Calendar{Period: period, TimeZone: zone}}
	}
	rolling := func(d time.Duration) quota.Window { return quota.Window{Rolling: &quota.Rolling{Duration: d}} }
	for name, c := range map[string]struct {
		window quota.Window
		ok     bool
	}{
		"month":                    {of(month, "Europe/Berlin"), true},
		"utc":                      {of(minute, "UTC"), true},
		"no_period":                {of(0, "UTC"), false},
		"unknown_period":           {of(year+1, "UTC"), false},
		"no_zone":                  {of(day, ""), false},
		"the_server_s_own_zone":    {of(day, "Local"), false},
		"unknown_zone":             {of(day, "Europe/Atlantis"), false},
		"a_zone_with_leap_seconds": {of(day, "right/Europe/Berlin"), false},
		"another_file":             {of(day, "../../etc/passwd"), false},
		"an_hour":                  {rolling(time.Hour), true},
		"366_days":                 {rolling(366 * 24 * time.Hour), true},
		"too_long":                 {rolling(366*24*time.Hour + time.Minute), false},
		"too_short":                {rolling(0), false},
		"no_whole_minutes":         {rolling(90 * time.Second), false},
		"lifetime":                 {quota.Window{Lifetime: true}, true},
		"none":                     {quota.Window{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.window.Check()
			if (err == nil) != c.ok || err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("got %v", err)
			}
		})
	}
}
