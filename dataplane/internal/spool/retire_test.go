package spool_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/spool"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// A boot that is retired is told as closed, with a number for each request of it, and
// what waits for its settlement hears of that.
func TestRetiredBootIsClosedAndWhole(t *testing.T) {
	dir := t.TempDir()
	l := open(t, spool.Options{Dir: dir})
	request(t, l, "whole")
	torn := start(t, l, "torn")
	if stats := l.Stats(); stats.Records != 1 || stats.Unsent != 1 {
		t.Errorf("before: %+v", stats)
	}
	if err := l.Retire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Start(started("late")); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("a request started after the end: %v", err)
	}
	if err := l.End(torn, finished("torn")); !errors.Is(err, spool.ErrNotOpen) {
		t.Errorf("a request ended twice: %v", err)
	}
	want := []*agentv1.BootTail{{Boot: l.Boot(), LastSeq: 2, Closed: true}}
	if diff := cmp.Diff(want, l.Tails(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	waits := make(chan error, 1)
	go func() { waits <- l.AwaitSettled(t.Context()) }()
	records := recordsOf(t, drain(t, l))
	if len(records) != 2 || records[1].GetRequestId() != "torn" || records[1].GetOutcome() != usagev1.Outcome_OUTCOME_INTERRUPTED || records[1].GetTornFrom() != nil {
		t.Errorf("sent %v", records)
	}
	if stats := l.Stats(); stats.Records != 2 || stats.Unsent != 0 {
		t.Errorf("sent and not settled: %+v", stats)
	}
	select {
	case err := <-waits:
		t.Fatalf("settled by nobody: %v", err)
	default:
	}
	l.Settle([]*agentv1.SettledRange{{Boot: l.Boot(), FirstSeq: 1, LastSeq: 2}})
	if err := <-waits; err != nil {
		t.Error(err)
	}
	shut(t, l)
	if next := open(t, spool.Options{Dir: dir}); next.Stats().Records != 0 {
		t.Errorf("the next boot has %+v", next.Stats())
	}
}

func TestWaitForSettlementEnds(t *testing.T) {
	l := open(t, spool.Options{Dir: t.TempDir()})
	request(t, l, "kept")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := l.AwaitSettled(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// Nothing was recorded: the boot is closed all the same, so that nobody waits for it.
func TestRetiredBootWithoutRecords(t *testing.T) {
	l := open(t, spool.Options{Dir: t.TempDir()})
	if err := l.Retire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.AwaitSettled(t.Context()); err != nil {
		t.Error(err)
	}
	if tails := l.Tails(); len(tails) != 1 || !tails[0].GetClosed() || tails[0].GetLastSeq() != 0 {
		t.Errorf("%v", tails)
	}
}
