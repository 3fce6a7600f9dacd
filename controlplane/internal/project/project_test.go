package project_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/project"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var (
	id = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ab")
	at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func TestDecisions(t *testing.T) {
	app := project.Settings{Name: "app", DisplayName: "App"}
	was := project.Project{ID: id, Settings: app, CreatedAt: at, Version: 7}
	create := func(s project.Settings, taken bool) func() ([]eventlog.Change, error) {
		return func() ([]eventlog.Change, error) {
			return project.Create(project.Creation{ID: id, Settings: s, NameTaken: taken})
		}
	}
	update := func(s project.Settings, taken bool) func() ([]eventlog.Change, error) {
		return func() ([]eventlog.Change, error) { return was.Update(s, taken) }
	}
	cases := []struct {
		name    string
		decide  func() ([]eventlog.Change, error)
		want    proto.Message // nil: nothing changes, or it is refused
		refused fault.Kind
	}{
		{"create", create(app, false), &eventv1.ProjectCreated{Name: "app", DisplayName: "App"}, 0},
		{"display_name_defaults", create(project.Settings{Name: "app"}, false), &eventv1.ProjectCreated{Name: "app", DisplayName: "app"}, 0},
		{"create_with_a_taken_name", create(app, true), nil, fault.Conflict},
		{"create_with_a_bad_name", create(project.Settings{Name: "-app"}, false), nil, fault.Invalid},
		{"update", update(project.Settings{Name: "web", DisplayName: "App"}, false), &eventv1.ProjectUpdated{Name: "web", DisplayName: "App"}, 0},
		{"update_to_the_same", update(app, false), nil, 0},
		{"update_to_a_taken_name", update(project.Settings{Name: "web"}, true), nil, fault.Conflict},
		{"update_to_a_bad_name", update(project.Settings{Name: "Web"}, false), nil, fault.Invalid},
		{"archive", func() ([]eventlog.Change, error) { return was.Archive(nil, nil) }, &eventv1.ProjectArchived{}, 0},
		{"archive_in_use", func() ([]eventlog.Change, error) {
			return was.Archive([]fault.Use{{Thing: "key", Name: "laptop"}}, nil)
		}, nil, fault.Precondition},
		{"restore", func() ([]eventlog.Change, error) { return was.Restore(false) }, &eventv1.ProjectRestored{
			Name: "app", DisplayName: "App", CreatedAt: timestamppb.New(at),
		}, 0},
		{"restore_with_a_taken_name", func() ([]eventlog.Change, error) { return was.Restore(true) }, nil, fault.Conflict},
	}
	for _, c := range cases {
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

func TestApply(t *testing.T) {
	was := project.Project{ID: id, Settings: project.Settings{Name: "old", DisplayName: "Old"}, CreatedAt: at, Version: 2}
	later := at.Add(time.Hour)
	app := project.Settings{Name: "app", DisplayName: "App"}
	cases := []struct {
		name string
		was  project.Project
		body proto.Message
		want project.Project
	}{
		{"created", project.Project{}, &eventv1.ProjectCreated{Name: "app", DisplayName: "App"}, project.Project{ID: id, Settings: app, CreatedAt: later, Version: 5}},
		{"updated", was, &eventv1.ProjectUpdated{Name: "app", DisplayName: "App"}, project.Project{ID: id, Settings: app, CreatedAt: at, Version: 5}},
		{
			"restored", project.Project{}, &eventv1.ProjectRestored{Name: "app", DisplayName: "App", CreatedAt: timestamppb.New(at)},
			project.Project{ID: id, Settings: app, CreatedAt: at, Version: 5},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := project.Apply(c.was, eventlog.Event{Version: 5, Subject: id, RecordedAt: later, Body: c.body})
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	if _, err := project.Apply(was, eventlog.Event{Body: &eventv1.KeyRevoked{}}); err == nil {
		t.Error("folded another's event")
	}
}
