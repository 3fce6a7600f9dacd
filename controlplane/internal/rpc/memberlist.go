package rpc

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func (s *members) GetMember(ctx context.Context, req *connect.Request[adminv1.GetMemberRequest]) (*connect.Response[adminv1.GetMemberResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.GetMemberResponse, error) {
		m, err := readmodel.Members.Find(ctx, v, id)
		if err != nil {
			return nil, err
		}
		email, name, err := identity.PersonOf(ctx, v, id)
		return &adminv1.GetMemberResponse{Member: toProtoKnown(identity.Known{Member: m, Email: email, Name: name})}, err
	})
}

func (s *members) ListMembers(ctx context.Context, req *connect.Request[adminv1.ListMembersRequest]) (*connect.Response[adminv1.ListMembersResponse], error) {
	name := fmt.Sprintf("members, removed: %t", req.Msg.GetShowRemoved())
	l, err := fromList(name, identity.MemberFields, req.Msg)
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.ListMembersResponse, error) {
		found, next, err := identity.KnownMembers(ctx, v, l.Query, req.Msg.GetShowRemoved())
		if err != nil {
			return nil, err
		}
		answer := &adminv1.ListMembersResponse{Members: convertAll(found, toProtoKnown)}
		answer.NextPageToken, err = l.token(next)
		return answer, err
	})
}

func (s *members) ListMemberSessions(ctx context.Context, req *connect.Request[adminv1.ListMemberSessionsRequest]) (*connect.Response[adminv1.ListMemberSessionsResponse], error) {
	id, err := parseID("member_id", req.Msg.GetMemberId())
	if err != nil {
		return nil, err
	}
	l, err := fromSelection("sessions", identity.SessionFields, req.Msg)
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (answer *adminv1.ListMemberSessionsResponse, err error) {
		if _, err := readmodel.Members.Find(ctx, v, id); err != nil {
			return nil, err
		}
		answer = &adminv1.ListMemberSessionsResponse{}
		answer.Sessions, err = listSessions(ctx, v, id, l.Query)
		return answer, err
	})
}

func (s *members) RevokeMemberSessions(ctx context.Context, req *connect.Request[adminv1.RevokeMemberSessionsRequest]) (*connect.Response[adminv1.RevokeMemberSessionsResponse], error) {
	id, err := parseID("member_id", req.Msg.GetMemberId())
	if err != nil {
		return nil, err
	}
	only := uuid.Nil
	if text := req.Msg.GetSessionId(); text != "" {
		if only, err = parseID("session_id", text); err != nil {
			return nil, err
		}
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.RevokeMemberSessionsResponse], err error) {
		by, err := authority(ctx, v)
		if err != nil {
			return d, err
		}
		m, err := readmodel.Members.Find(ctx, v, id)
		if err != nil {
			return d, err
		}
		if err := hasSession(ctx, v, id, only); err != nil {
			return d, err
		}
		d.Version = m.Version
		d.Changes, err = m.RevokeSessions(only, by)
		d.Parts = []pglog.Part{identity.EndSessionsWith(v.Organization, identity.Ending{Member: id, Only: only})}
		d.Answer = emptyAnswer[adminv1.RevokeMemberSessionsResponse]
		return d, err
	})
}

// hasSession asks for one that is the member's; uuid.Nil asks for nothing.
func hasSession(ctx context.Context, v readmodel.View, memberID, only uuid.UUID) error {
	if only == uuid.Nil {
		return nil
	}
	found, err := identity.HasSession(ctx, v, memberID, only)
	if err == nil && !found {
		err = noSession(only)
	}
	return err
}

func toProtoKnown(k identity.Known) *adminv1.Member {
	converted := toProtoMember(k.Member)
	converted.Email, converted.Name = k.Email, k.Name
	return converted
}

// toProtoMember says what the log knows; answers of what changes something are
// stored, and say no more.
func toProtoMember(m member.Member) *adminv1.Member {
	converted := &adminv1.Member{
		Id: m.ID.String(), Role: adminv1.Role(m.Role), State: adminv1.MemberState_MEMBER_STATE_ACTIVE,
		CreatedAt: toTimestamp(m.CreatedAt), Etag: toETag(m.Version),
	}
	if m.JoinDomainID != uuid.Nil {
		converted.JoinDomainId = m.JoinDomainID.String()
	}
	switch {
	case !m.ErasedAt.IsZero():
		converted.State = adminv1.MemberState_MEMBER_STATE_ERASED
	case !m.RemovedAt.IsZero():
		converted.State = adminv1.MemberState_MEMBER_STATE_REMOVED
	case m.Invited():
		converted.State = adminv1.MemberState_MEMBER_STATE_INVITED
		converted.InvitationExpiresAt = toTimestamp(m.InvitationExpiresAt)
	}
	return converted
}
