package spool_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/spool"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// again is a request whose first attempt failed and whose second one is under way.
func again(name string) *usagev1.UsageRecord {
	r := started(name)
	r.Attempts[0].Outcome, r.Attempts[0].UsageSource = usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, usagev1.UsageSource_USAGE_SOURCE_NONE
	r.Attempts = append(r.Attempts, started(name).Attempts...)
	return r
}

// TestAgain: what is left of an open request is its latest state, also where the
// segment of that is not the one of its start.
func TestAgain(t *testing.T) {
	for name, between := range map[string]int{"in_one_segment": 0, "in_a_later_segment": 200} {
		t.Run(name, func(t *testing.T) {
			o := spool.Options{Dir: t.TempDir(), SegmentBytes: 16 << 10, Logger: slog.New(slog.DiscardHandler)}
			l := open(t, o)
			before, after := start(t, l, "before"), start(t, l, "after")
			if err := l.Again(before, again("before")); err != nil {
				t.Fatal(err)
			}
			for i := range between {
				request(t, l, fmt.Sprint(i))
			}
			if err := l.Again(after, again("after")); err != nil {
				t.Fatal(err)
			}
			shut(t, l)
			torn := map[string]*usagev1.UsageRecord{}
			for _, r := range recordsOf(t, drain(t, open(t, o))) {
				if r.GetTornFrom() != nil {
					torn[r.GetRequestId()] = r
				}
			}
			if len(torn) != 2 {
				t.Fatalf("%d requests are reported", len(torn))
			}
			for request, r := range torn {
				if len(r.Attempts) != 2 || r.Attempts[0].Outcome != usagev1.Outcome_OUTCOME_UPSTREAM_ERROR ||
					r.Attempts[1].Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED || r.Attempts[1].UsageSource != usagev1.UsageSource_USAGE_SOURCE_ESTIMATED {
					t.Errorf("request %s is reported as %v", request, r)
				}
			}
		})
	}
}

func TestAgainOfWhatIsNotOpen(t *testing.T) {
	l := open(t, spool.Options{Dir: t.TempDir()})
	id := start(t, l, "a")
	if err := l.Again(id+1, again("b")); !errors.Is(err, spool.ErrNotOpen) {
		t.Errorf("never started: %v", err)
	}
	if err := l.End(id, finished("a")); err != nil {
		t.Fatal(err)
	}
	if err := l.Again(id, again("a")); !errors.Is(err, spool.ErrNotOpen) {
		t.Errorf("ended: %v", err)
	}
}
