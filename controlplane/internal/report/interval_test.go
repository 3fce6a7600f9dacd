package report_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/controlplane/internal/report"
)

// Days begin when their date does, also where clocks change at midnight.
func TestStarts(t *testing.T) {
	for _, c := range []struct {
		zone     string
		interval report.Interval
		from, to string
		want     []string
	}{
		{"Europe/Berlin", report.Day, "2026-10-24T00:00:00+02:00", "2026-10-27T00:00:00+01:00", []string{"2026-10-24T00:00:00+02:00", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"}},
		{"Africa/Cairo", report.Day, "2026-04-23T00:00:00+02:00", "2026-04-25T00:00:00+03:00", []string{"2026-04-23T00:00:00+02:00", "2026-04-24T01:00:00+03:00"}},
		{"America/Havana", report.Day, "2026-10-31T00:00:00-04:00", "2026-11-02T00:00:00-05:00", []string{"2026-10-31T00:00:00-04:00", "2026-11-01T00:00:00-04:00"}},
		{"Europe/Berlin", report.Hour, "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", []string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"}},
		{"Asia/Kathmandu", report.Hour, "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", []string{"2026-10-25T05:00:00+05:45", "2026-10-25T06:00:00+05:45"}},
		{"UTC", report.Week, "2026-11-27T00:00:00Z", "2026-12-02T00:00:00Z", []string{"2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"}},
		{"UTC", report.Month, "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z", []string{"2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"}},
	} {
		in, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, start := range report.Starts(c.interval, at(c.from), at(c.to), in) {
			got = append(got, start.Format(time.RFC3339))
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.zone, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.zone, got, c.want)
			}
		}
	}
}
