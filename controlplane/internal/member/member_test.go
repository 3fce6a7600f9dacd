package member_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	owner    = eventv1.Role_ROLE_OWNER
	admin    = eventv1.Role_ROLE_ADMIN
	operator = eventv1.Role_ROLE_OPERATOR
	analyst  = eventv1.Role_ROLE_ANALYST
	viewer   = eventv1.Role_ROLE_VIEWER
)

var (
	id  = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ab")
	now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

	active  = member.Member{ID: id, Role: admin}
	boss    = member.Member{ID: id, Role: owner}
	invited = member.Member{ID: id, Role: viewer, InvitationExpiresAt: now.Add(time.Hour)}
	expired = member.Member{ID: id, Role: viewer, InvitationExpiresAt: now}
	removed = member.Member{ID: id, Role: admin, RemovedAt: now}
	erased  = member.Member{ID: id, Role: admin, RemovedAt: now, ErasedAt: now}
)

func TestDecisions(t *testing.T) {
	role := func(r eventv1.Role) eventlog.Change {
		return eventlog.Change{Subject: id, Body: &eventv1.MemberRoleChanged{Role: r}}
	}
	removal := eventlog.Change{Subject: id, Body: &eventv1.MemberRemoved{}}
	erasure := eventlog.Change{Subject: id, Body: &eventv1.MemberErased{}}
	roles := []rolebinding.Binding{{ID: uuid.New()}, {ID: uuid.New()}}
	for name, test := range map[string]struct {
		decide func() ([]eventlog.Change, error)
		want   []eventlog.Change
		reason string
	}{
		"lowered":                      {func() ([]eventlog.Change, error) { return active.ChangeRole(viewer, owner, false) }, []eventlog.Change{role(viewer)}, ""},
		"same_role":                    {func() ([]eventlog.Change, error) { return active.ChangeRole(admin, owner, false) }, nil, ""},
		"raised_above_own":             {func() ([]eventlog.Change, error) { return active.ChangeRole(owner, admin, false) }, nil, "role_above_own"},
		"lowered_from_above":           {func() ([]eventlog.Change, error) { return boss.ChangeRole(viewer, admin, false) }, nil, "role_above_own"},
		"by_nobody":                    {func() ([]eventlog.Change, error) { return active.ChangeRole(viewer, 0, false) }, nil, "role_above_own"},
		"last_owner_lowered":           {func() ([]eventlog.Change, error) { return boss.ChangeRole(admin, owner, true) }, nil, "last_owner"},
		"last_owner_stays_owner":       {func() ([]eventlog.Change, error) { return boss.ChangeRole(owner, owner, true) }, nil, ""},
		"one_of_two_owners_lowered":    {func() ([]eventlog.Change, error) { return boss.ChangeRole(admin, owner, false) }, []eventlog.Change{role(admin)}, ""},
		"removed_gets_no_role":         {func() ([]eventlog.Change, error) { return removed.ChangeRole(viewer, owner, false) }, nil, "member_removed"},
		"removed":                      {func() ([]eventlog.Change, error) { return active.Remove(admin, true, nil) }, []eventlog.Change{removal}, ""},
		"removed_with_roles":           {func() ([]eventlog.Change, error) { return active.Remove(admin, true, roles) }, append(rolebinding.Archive(roles...), removal), ""},
		"erased_with_roles":            {func() ([]eventlog.Change, error) { return active.Erase(admin, true, roles) }, append(rolebinding.Archive(roles...), removal, erasure), ""},
		"removed_twice":                {func() ([]eventlog.Change, error) { return removed.Remove(admin, false, nil) }, nil, ""},
		"last_owner_removed":           {func() ([]eventlog.Change, error) { return boss.Remove(owner, true, nil) }, nil, "last_owner"},
		"owner_removed_by_admin":       {func() ([]eventlog.Change, error) { return boss.Remove(admin, false, nil) }, nil, "role_above_own"},
		"erased_while_active":          {func() ([]eventlog.Change, error) { return active.Erase(owner, false, nil) }, []eventlog.Change{removal, erasure}, ""},
		"erased_after_removal":         {func() ([]eventlog.Change, error) { return removed.Erase(owner, false, nil) }, []eventlog.Change{erasure}, ""},
		"erased_twice":                 {func() ([]eventlog.Change, error) { return erased.Erase(owner, false, nil) }, nil, ""},
		"last_owner_erased":            {func() ([]eventlog.Change, error) { return boss.Erase(owner, true, nil) }, nil, "last_owner"},
		"invited_joins":                {func() ([]eventlog.Change, error) { return invited.Join(now), nil }, []eventlog.Change{{Subject: id, Body: &eventv1.MemberJoined{}}}, ""},
		"expired_does_not_join":        {func() ([]eventlog.Change, error) { return expired.Join(now), nil }, nil, ""},
		"removed_does_not_join":        {func() ([]eventlog.Change, error) { return removed.Join(now), nil }, nil, ""},
		"domain_for_operators":         {func() ([]eventlog.Change, error) { return setDomain(operator, true) }, nil, ""},
		"domain_of_somebody_else":      {func() ([]eventlog.Change, error) { return setDomain(viewer, false) }, nil, "domain_not_own"},
		"domain":                       {func() ([]eventlog.Change, error) { return setDomain(analyst, true) }, []eventlog.Change{{Subject: id, Body: &eventv1.JoinDomainAdded{Domain: "acme.example", Role: analyst}}}, ""},
		"invitation_above_own":         {func() ([]eventlog.Change, error) { return invite(owner, nil, 0) }, nil, "role_above_own"},
		"invitation_of_a_member":       {func() ([]eventlog.Change, error) { return invite(viewer, &active, 0) }, nil, "already_member"},
		"invitation_with_another_role": {func() ([]eventlog.Change, error) { return invite(analyst, &invited, 0) }, nil, "already_invited"},
		"invitation_said_twice":        {func() ([]eventlog.Change, error) { return invite(viewer, &invited, 0) }, nil, ""},
		"invitation_after_one_expired": {func() ([]eventlog.Change, error) { return invite(viewer, &expired, 0) }, []eventlog.Change{removal, invitation(viewer, member.DefaultInvitation)}, ""},
		"invitation":                   {func() ([]eventlog.Change, error) { return invite(admin, nil, time.Hour) }, []eventlog.Change{invitation(admin, time.Hour)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.decide()
			var refused *fault.Error
			if errors.As(err, &refused) && refused.Reason != test.reason {
				t.Errorf("refused with %q: %v", refused.Reason, err)
			}
			if (err != nil) != (test.reason != "" || name == "domain_for_operators") {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(test.want, got, protocmp.Transform()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInvitationsAreBounded(t *testing.T) {
	for _, lifespan := range []time.Duration{-time.Second, member.MaxInvitation + time.Second} {
		if _, err := invite(viewer, nil, lifespan); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", lifespan, err)
		}
	}
}

func TestUnknownKindsStopTheFold(t *testing.T) {
	e := eventlog.Event{Kind: "ProjectCreated", Body: &eventv1.ProjectCreated{}}
	if _, err := member.Apply(active, e); !errors.Is(err, eventlog.ErrUnknownKind) {
		t.Errorf("member: %v", err)
	}
	if _, err := member.ApplyDomain(member.Domain{}, e); !errors.Is(err, eventlog.ErrUnknownKind) {
		t.Errorf("domain: %v", err)
	}
}

// invite is what an admin does; a lifespan of zero is the default.
func invite(role eventv1.Role, holder *member.Member, lifespan time.Duration) ([]eventlog.Change, error) {
	i := member.Invitation{ID: id, Role: role, By: admin, Now: now, Holder: holder}
	if lifespan != 0 {
		i.ExpiresAt = now.Add(lifespan)
	}
	return member.Invite(i)
}

func invitation(role eventv1.Role, lifespan time.Duration) eventlog.Change {
	return eventlog.Change{Subject: id, Body: &eventv1.MemberInvited{Role: role, ExpiresAt: timestamppb.New(now.Add(lifespan))}}
}

func setDomain(role eventv1.Role, claimable bool) ([]eventlog.Change, error) {
	return member.SetDomain(member.DomainSetting{ID: id, Name: "ACME.example", Role: role, By: admin, Claimable: claimable})
}
