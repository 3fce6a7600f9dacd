package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var _ adminv1connect.MemberServiceHandler = (*members)(nil)

type members struct {
	runner *command.Runner
	store  *readmodel.Store
}

func (s *members) InviteMember(ctx context.Context, req *connect.Request[adminv1.InviteMemberRequest]) (*connect.Response[adminv1.InviteMemberResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	i := member.Invitation{
		ID: id, Role: eventv1.Role(req.Msg.GetRole()), ExpiresAt: fromTimestamp(req.Msg.GetExpiresAt()), Now: time.Now(),
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.InviteMemberResponse], err error) {
		if i.By, err = authority(ctx, v); err != nil {
			return d, err
		}
		if i.Holder, err = identity.Holder(ctx, v, req.Msg.GetEmail()); err != nil {
			return d, err
		}
		if i.Holder != nil {
			if i.Bound, err = boundBy(ctx, v, "principal_id", i.Holder.ID); err != nil {
				return d, err
			}
		}
		if d.Changes, err = member.Invite(i); err != nil {
			return d, err
		}
		d.Parts, d.Answer = invited(v.Organization, i, req.Msg.GetEmail(), d.Changes)
		return d, nil
	})
}

// invited keeps the address where there is a new invitation, in the place of one
// that expired.
func invited(organization uuid.UUID, i member.Invitation, email string, changes []eventlog.Change) ([]pglog.Part, func([]eventlog.Event) (*adminv1.InviteMemberResponse, error)) {
	answer := func(recorded []eventlog.Event) (*adminv1.InviteMemberResponse, error) {
		if len(recorded) == 0 {
			return &adminv1.InviteMemberResponse{Member: toProtoMember(*i.Holder)}, nil
		}
		m, err := member.Apply(member.Member{}, recorded[len(recorded)-1])
		return &adminv1.InviteMemberResponse{Member: toProtoMember(m)}, err
	}
	if len(changes) == 0 {
		return nil, answer
	}
	parts := []pglog.Part{identity.AddPerson(organization, i.ID, email)}
	if i.Holder != nil {
		parts = append([]pglog.Part{identity.RemovePerson(organization, *i.Holder)}, parts...)
	}
	return parts, answer
}

func (s *members) UpdateMember(ctx context.Context, req *connect.Request[adminv1.UpdateMemberRequest]) (*connect.Response[adminv1.UpdateMemberResponse], error) {
	id, err := parseID("member.id", req.Msg.GetMember().GetId())
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.UpdateMemberResponse], err error) {
		standing, err := considered(ctx, v, id)
		if err != nil {
			return d, err
		}
		wanted, err := merge(toProtoMember(standing.Member), req.Msg.GetMember(), req.Msg.GetUpdateMask(), "role")
		if err != nil {
			return d, err
		}
		d.Version = standing.Version
		d.Changes, err = standing.ChangeRole(eventv1.Role(wanted.GetRole()), standing.by, standing.lastOwner)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.UpdateMemberResponse, error) {
			after, err := changed(standing.Member, about(id, recorded), member.Apply)
			return &adminv1.UpdateMemberResponse{Member: toProtoMember(after)}, err
		}
		return d, err
	})
}

func (s *members) RemoveMember(ctx context.Context, req *connect.Request[adminv1.RemoveMemberRequest]) (*connect.Response[adminv1.RemoveMemberResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.RemoveMemberResponse], err error) {
		standing, err := considered(ctx, v, id)
		if err != nil {
			return d, err
		}
		d.Version = standing.Version
		d.Changes, err = standing.Remove(standing.by, standing.lastOwner, standing.bound)
		d.Parts = []pglog.Part{identity.RemovePerson(v.Organization, standing.Member)}
		d.Answer = func(recorded []eventlog.Event) (*adminv1.RemoveMemberResponse, error) {
			after, err := changed(standing.Member, about(id, recorded), member.Apply)
			return &adminv1.RemoveMemberResponse{Member: toProtoMember(after)}, err
		}
		return d, err
	})
}

func (s *members) EraseMember(ctx context.Context, req *connect.Request[adminv1.EraseMemberRequest]) (*connect.Response[adminv1.EraseMemberResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.EraseMemberResponse], err error) {
		standing, err := considered(ctx, v, id)
		if err != nil {
			return d, err
		}
		d.Version = standing.Version
		d.Changes, err = standing.Erase(standing.by, standing.lastOwner, standing.bound)
		d.Parts = []pglog.Part{identity.ErasePerson(v.Organization, id)}
		d.Answer = func(recorded []eventlog.Event) (*adminv1.EraseMemberResponse, error) {
			after, err := changed(standing.Member, about(id, recorded), member.Apply)
			return &adminv1.EraseMemberResponse{Member: toProtoMember(after)}, err
		}
		return d, err
	})
}

// standing is a member and what decides over it.
type standing struct {
	member.Member
	by        eventv1.Role
	lastOwner bool
	bound     []rolebinding.Binding
}

func considered(ctx context.Context, v readmodel.View, id uuid.UUID) (s standing, err error) {
	if s.by, err = authority(ctx, v); err != nil {
		return s, err
	}
	if s.Member, err = readmodel.Members.Find(ctx, v, id); err != nil {
		return s, err
	}
	if s.lastOwner, err = identity.OnlyOwner(ctx, v, id); err != nil {
		return s, err
	}
	s.bound, err = boundBy(ctx, v, "principal_id", id)
	return s, err
}

// authority is the caller's role in the state that the decision stands on: who was
// removed or demoted a moment ago decides nothing any more.
func authority(ctx context.Context, v readmodel.View) (eventv1.Role, error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return 0, errNoCaller
	}
	gone := fault.Because(fault.Denied, "caller_removed", "the caller is no member any more")
	if caller.Kind == authn.ServiceAccount {
		account, err := readmodel.ServiceAccounts.Find(ctx, v, caller.ID)
		if fault.Is(err, fault.NotFound) {
			return 0, gone
		}
		return account.Role, err
	}
	m, err := readmodel.Members.Find(ctx, v, caller.ID)
	if fault.Is(err, fault.NotFound) || err == nil && !m.Active() {
		return 0, gone
	}
	return m.Role, err
}
