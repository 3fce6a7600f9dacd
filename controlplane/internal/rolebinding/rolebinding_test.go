package rolebinding_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	owner    = eventv1.Role_ROLE_OWNER
	admin    = eventv1.Role_ROLE_ADMIN
	operator = eventv1.Role_ROLE_OPERATOR
	viewer   = eventv1.Role_ROLE_VIEWER
	projects = eventv1.Role_ROLE_PROJECTS_ONLY
)

func TestCreate(t *testing.T) {
	id, who, where := uuid.New(), uuid.New(), uuid.New()
	ofMember := rolebinding.Binding{ID: id, MemberID: who, ProjectID: where}
	ofAccount := rolebinding.Binding{ID: id, ServiceAccountID: who, ProjectID: where}
	both := rolebinding.Binding{ID: id, MemberID: who, ServiceAccountID: who, ProjectID: where}
	cases := []struct {
		name     string
		binding  rolebinding.Binding
		role, by eventv1.Role
		bound    bool
		want     proto.Message
		kind     fault.Kind
	}{
		{"member", ofMember, viewer, admin, false, &eventv1.RoleBindingCreated{MemberId: who.String(), Role: viewer, ProjectId: where.String()}, 0},
		{"account", ofAccount, admin, admin, false, &eventv1.RoleBindingCreated{ServiceAccountId: who.String(), Role: admin, ProjectId: where.String()}, 0},
		{"owner_of_a_project", ofMember, owner, owner, false, nil, fault.Invalid},
		{"no_role_worth_it", ofMember, projects, owner, false, nil, fault.Invalid},
		{"above_own", ofMember, admin, operator, false, nil, fault.Denied},
		{"by_nobody", ofMember, viewer, 0, false, nil, fault.Denied},
		{"by_one_with_projects_only", ofMember, viewer, projects, false, nil, fault.Denied},
		{"bound_already", ofMember, viewer, owner, true, nil, fault.Conflict},
		{"nobody", rolebinding.Binding{ID: id, ProjectID: where}, viewer, owner, false, nil, fault.Invalid},
		{"two", both, viewer, owner, false, nil, fault.Invalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.binding.Role = c.role
			changes, err := rolebinding.Create(rolebinding.Creation{Binding: c.binding, By: c.by, Bound: c.bound})
			if (err != nil) != (c.kind != 0) || c.kind != 0 && !fault.Is(err, c.kind) {
				t.Fatalf("got %v", err)
			}
			var want []eventlog.Change
			if c.want != nil {
				want = []eventlog.Change{{Subject: id, Body: c.want}}
			}
			if diff := cmp.Diff(want, changes, protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, change := range changes {
				made, err := rolebinding.Apply(rolebinding.Binding{}, eventlog.Event{Subject: change.Subject, Body: change.Body})
				if diff := cmp.Diff(c.binding, made); diff != "" || err != nil {
					t.Errorf("folded (-want +got):\n%s%v", diff, err)
				}
			}
		})
	}
}

func TestApplyStopsAtWhatItDoesNotKnow(t *testing.T) {
	for _, body := range []proto.Message{&eventv1.ProjectArchived{}, &eventv1.RoleBindingCreated{ProjectId: "x"}} {
		if _, err := rolebinding.Apply(rolebinding.Binding{}, eventlog.Event{Body: body}); err == nil {
			t.Errorf("folded %T", body)
		}
	}
	_, err := rolebinding.Apply(rolebinding.Binding{}, eventlog.Event{Body: &eventv1.ProjectArchived{}})
	if !errors.Is(err, eventlog.ErrUnknownKind) {
		t.Errorf("got %v", err)
	}
}
