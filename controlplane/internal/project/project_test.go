package project_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/project"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var id = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ab")

func TestCreate(t *testing.T) {
	cases := []struct {
		name     string
		creation project.Creation
		want     *eventv1.ProjectCreated
		refused  fault.Kind
	}{
		{"free_name", project.Creation{ID: id, Name: "app", DisplayName: "App"}, &eventv1.ProjectCreated{Name: "app", DisplayName: "App"}, 0},
		{"display_name_defaults", project.Creation{ID: id, Name: "app"}, &eventv1.ProjectCreated{Name: "app", DisplayName: "app"}, 0},
		{"taken_name", project.Creation{ID: id, Name: "app", NameTaken: true}, nil, fault.Conflict},
		{"bad_name", project.Creation{ID: id, Name: "-app"}, nil, fault.Invalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changes, err := project.Create(c.creation)
			if c.want == nil {
				if !fault.Is(err, c.refused) || changes != nil {
					t.Errorf("got %v, %v", changes, err)
				}
				return
			}
			if diff := cmp.Diff([]eventlog.Change{{Subject: id, Body: c.want}}, changes, protocmp.Transform()); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestApply(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got, err := project.Apply(project.Project{}, eventlog.Event{
		Version: 5, Kind: "ProjectCreated", Subject: id, RecordedAt: at, Body: &eventv1.ProjectCreated{Name: "app", DisplayName: "App"},
	})
	want := project.Project{ID: id, Name: "app", DisplayName: "App", CreatedAt: at, Version: 5}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := project.Apply(got, eventlog.Event{Body: &eventv1.KeyRevoked{}}); err == nil {
		t.Error("folded another's event")
	}
}
