package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.SessionServiceHandler = (*sessions)(nil)

type sessions struct {
	store *readmodel.Store
}

func (s *sessions) WhoAmI(ctx context.Context, _ *connect.Request[adminv1.WhoAmIRequest]) (*connect.Response[adminv1.WhoAmIResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	answer := &adminv1.WhoAmIResponse{
		Kind: string(caller.Kind), Display: caller.Display, Role: adminv1.Role(caller.Role), Permissions: authz.Permissions(caller),
	}
	if caller.OrganizationID == uuid.Nil {
		return connect.NewResponse(answer), nil
	}
	for _, b := range caller.Bindings {
		answer.Projects = append(answer.Projects, &adminv1.ProjectPermissions{
			ProjectId: b.ProjectID.String(), Role: adminv1.Role(b.Role), Permissions: authz.OnProject(caller, b),
		})
	}
	answer.Id, answer.OrganizationId = caller.ID.String(), caller.OrganizationID.String()
	err := s.store.Read(ctx, caller.OrganizationID, func(v readmodel.View) error {
		o, err := readmodel.Organizations.Find(ctx, v, caller.OrganizationID)
		answer.OrganizationName = o.Name
		answer.OrganizationSuspended, answer.SuspensionReason = o.Suspended(), o.SuspensionReason
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}

func (s *sessions) ListSessions(ctx context.Context, req *connect.Request[adminv1.ListSessionsRequest]) (*connect.Response[adminv1.ListSessionsResponse], error) {
	l, err := fromSelection("sessions", identity.SessionFields, req.Msg)
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListSessionsResponse{}
	err = s.own(ctx, func(v readmodel.View, caller authn.Principal) (err error) {
		answer.Sessions, err = listSessions(ctx, v, caller.ID, l.Query)
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}

// listSessions marks the one that the request came with.
func listSessions(ctx context.Context, v readmodel.View, memberID uuid.UUID, q readmodel.Query) ([]*adminv1.Session, error) {
	caller, _ := authn.From(ctx)
	found, err := identity.SessionsOf(ctx, v, memberID, q)
	return convertAll(found, func(one authn.Session) *adminv1.Session { return toProtoSession(one, caller.SessionID) }), err
}

func (s *sessions) RevokeSession(ctx context.Context, req *connect.Request[adminv1.RevokeSessionRequest]) (*connect.Response[adminv1.RevokeSessionResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	ended := 0
	err = s.own(ctx, func(v readmodel.View, caller authn.Principal) (err error) {
		ended, err = identity.EndSessions(ctx, v, identity.Ending{Member: caller.ID, Only: id})
		return err
	})
	if err == nil && ended == 0 {
		err = noSession(id)
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&adminv1.RevokeSessionResponse{}), nil
}

func (s *sessions) RevokeAllSessions(ctx context.Context, req *connect.Request[adminv1.RevokeAllSessionsRequest]) (*connect.Response[adminv1.RevokeAllSessionsResponse], error) {
	ended := 0
	err := s.own(ctx, func(v readmodel.View, caller authn.Principal) (err error) {
		ending := identity.Ending{Member: caller.ID}
		if req.Msg.GetKeepCurrent() {
			ending.Except = caller.SessionID
		}
		ended, err = identity.EndSessions(ctx, v, ending)
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&adminv1.RevokeAllSessionsResponse{Revoked: int32(ended)}), nil //nolint:gosec // a member has 100 at most
}

// own runs fn for a member; nobody else has sessions.
func (s *sessions) own(ctx context.Context, fn func(readmodel.View, authn.Principal) error) error {
	caller, ok := authn.From(ctx)
	if !ok {
		return errNoCaller
	}
	if caller.Kind != authn.Member {
		return nil
	}
	return s.store.Write(ctx, caller.OrganizationID, func(v readmodel.View) error { return fn(v, caller) })
}

func noSession(id uuid.UUID) error {
	return fault.Because(fault.NotFound, "session_not_found", "no session %s", id)
}

func toProtoSession(s authn.Session, current uuid.UUID) *adminv1.Session {
	return &adminv1.Session{
		Id: s.ID.String(), CreatedAt: toTimestamp(s.CreatedAt), LastSeenAt: toTimestamp(s.LastSeenAt),
		IdleExpiresAt: toTimestamp(s.IdleExpiresAt), ExpiresAt: toTimestamp(s.ExpiresAt),
		Address: s.Address, UserAgent: s.UserAgent, Current: s.ID == current,
	}
}
