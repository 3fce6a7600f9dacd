package savedreport_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/savedreport"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var (
	id = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ab")
	at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func TestDecisions(t *testing.T) {
	spend := savedreport.Settings{Name: "spend", Description: "d", SQL: "SELECT 1"}
	was := savedreport.SavedReport{ID: id, Settings: spend, CreatedAt: at, Version: 7}
	renamed := savedreport.Settings{Name: "cost", SQL: "SELECT 2"}
	for _, c := range []struct {
		name    string
		decide  func() ([]eventlog.Change, error)
		want    proto.Message // nil: nothing changes, or it is refused
		refused fault.Kind
	}{
		{"create", func() ([]eventlog.Change, error) {
			return savedreport.Create(savedreport.Creation{ID: id, Settings: spend})
		}, &eventv1.SavedReportCreated{Name: "spend", Description: "d", Sql: "SELECT 1"}, 0},
		{"create_with_a_taken_name", func() ([]eventlog.Change, error) {
			return savedreport.Create(savedreport.Creation{ID: id, Settings: spend, NameTaken: true})
		}, nil, fault.Conflict},
		{"create_with_a_bad_name", func() ([]eventlog.Change, error) {
			return savedreport.Create(savedreport.Creation{ID: id, Settings: savedreport.Settings{Name: "A b"}})
		}, nil, fault.Invalid},
		{"update", func() ([]eventlog.Change, error) { return was.Update(renamed, false) }, &eventv1.SavedReportUpdated{Name: "cost", Sql: "SELECT 2"}, 0},
		{"update_to_the_same", func() ([]eventlog.Change, error) { return was.Update(spend, false) }, nil, 0},
		{"update_to_a_taken_name", func() ([]eventlog.Change, error) { return was.Update(renamed, true) }, nil, fault.Conflict},
		{"update_to_a_bad_name", func() ([]eventlog.Change, error) { return was.Update(savedreport.Settings{Name: "-"}, false) }, nil, fault.Invalid},
		{"archive", func() ([]eventlog.Change, error) { return was.Archive(), nil }, &eventv1.SavedReportArchived{}, 0},
		{"restore_with_a_taken_name", func() ([]eventlog.Change, error) { return was.Restore(true) }, nil, fault.Conflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes, err := c.decide()
			if c.refused != 0 {
				if !fault.Is(err, c.refused) || changes != nil {
					t.Errorf("got %v, %v", changes, err)
				}
				return
			}
			var want []eventlog.Change
			if c.want != nil {
				want = []eventlog.Change{{Subject: id, Body: c.want}}
			}
			if diff := cmp.Diff(want, changes, protocmp.Transform()); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// What is archived and restored is as it was.
func TestRestore(t *testing.T) {
	was := savedreport.SavedReport{ID: id, Settings: savedreport.Settings{Name: "spend", Description: "d", SQL: "SELECT 1"}, CreatedAt: at, Version: 7}
	changes, err := was.Restore(false)
	if err != nil {
		t.Fatal(err)
	}
	got, err := savedreport.Apply(savedreport.SavedReport{}, eventlog.Event{Version: 9, Subject: id, RecordedAt: at.Add(time.Hour), Body: changes[0].Body})
	was.Version = 9
	if diff := cmp.Diff(was, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := savedreport.Apply(was, eventlog.Event{Body: &eventv1.KeyRevoked{}}); err == nil {
		t.Error("folded another's event")
	}
}
