package rpc

import (
	"context"
	"strings"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func (s *members) SetJoinDomain(ctx context.Context, req *connect.Request[adminv1.SetJoinDomainRequest]) (*connect.Response[adminv1.SetJoinDomainResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	setting := member.DomainSetting{ID: id, Name: strings.ToLower(req.Msg.GetDomain()), Role: eventv1.Role(req.Msg.GetRole())}
	answer, err := mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.SetJoinDomainResponse], err error) {
		if err := lookAtDomain(ctx, v, &setting); err != nil {
			return d, err
		}
		before := member.Domain{}
		if setting.Known != nil {
			before = *setting.Known
			d.Version = before.Version
		}
		d.Changes, err = member.SetDomain(setting)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.SetJoinDomainResponse, error) {
			after, err := changed(before, recorded, member.ApplyDomain)
			return &adminv1.SetJoinDomainResponse{JoinDomain: toProtoJoinDomain(after)}, err
		}
		return d, err
	})
	if violates(err, "join_domain_name") {
		return nil, member.TakenDomain(setting.Name)
	}
	return answer, err
}

func lookAtDomain(ctx context.Context, v readmodel.View, s *member.DomainSetting) error {
	var err error
	if s.By, err = authority(ctx, v); err != nil {
		return err
	}
	known, err := readmodel.JoinDomains.All(ctx, v, named(s.Name))
	if err != nil {
		return err
	}
	s.Known = nil
	if len(known) > 0 {
		s.Known = &known[0]
	}
	caller, _ := authn.From(ctx)
	s.Claimable, err = identity.HasAddressIn(ctx, v, caller.ID, s.Name)
	return err
}

func (s *members) ListJoinDomains(ctx context.Context, req *connect.Request[adminv1.ListJoinDomainsRequest]) (*connect.Response[adminv1.ListJoinDomainsResponse], error) {
	return read(ctx, s.store, func(v readmodel.View) (answer *adminv1.ListJoinDomainsResponse, err error) {
		answer = &adminv1.ListJoinDomainsResponse{}
		answer.JoinDomains, answer.NextPageToken, err = list(ctx, v, readmodel.JoinDomains, toProtoJoinDomain, "join domains", req.Msg)
		return answer, err
	})
}

func (s *members) RemoveJoinDomain(ctx context.Context, req *connect.Request[adminv1.RemoveJoinDomainRequest]) (*connect.Response[adminv1.RemoveJoinDomainResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.RemoveJoinDomainResponse], err error) {
		domain, err := readmodel.JoinDomains.Find(ctx, v, id)
		d.Version, d.Changes = domain.Version, domain.Remove()
		d.Answer = emptyAnswer[adminv1.RemoveJoinDomainResponse]
		return d, err
	})
}

func toProtoJoinDomain(d member.Domain) *adminv1.JoinDomain {
	return &adminv1.JoinDomain{
		Id: d.ID.String(), Domain: d.Name, Role: adminv1.Role(d.Role), CreatedAt: toTimestamp(d.CreatedAt), Etag: toETag(d.Version),
	}
}
