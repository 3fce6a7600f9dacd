package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/vault"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var _ adminv1connect.AlertChannelServiceHandler = (*alertChannels)(nil)

type alertChannels struct {
	runner   *command.Runner
	store    *readmodel.Store
	secrets  *vault.Vault
	networks alertchannel.Networks
	tester   *alertTester
}

var alertChannelKind = kind[alertchannel.AlertChannel, *adminv1.AlertChannel]{
	table: readmodel.AlertChannels, convert: toProtoAlertChannel, apply: alertchannel.Apply,
	version:  func(c alertchannel.AlertChannel) int64 { return c.Version },
	settable: []protoreflect.Name{"name", "url", "kinds"},
}

func toProtoAlertChannel(c alertchannel.AlertChannel) *adminv1.AlertChannel {
	return &adminv1.AlertChannel{
		Id: c.ID.String(), Name: c.Name, Url: c.URL, SecretSetAt: toTimestamp(c.SecretSetAt),
		CreatedAt: toTimestamp(c.CreatedAt), Etag: toETag(c.Version), Kinds: convertAll(c.Kinds, toProtoAlertKind),
	}
}

// toProtoAlertKind and fromProtoAlertKind keep the number.
func toProtoAlertKind(k eventv1.AlertKind) adminv1.AlertKind   { return adminv1.AlertKind(k) }
func fromProtoAlertKind(k adminv1.AlertKind) eventv1.AlertKind { return eventv1.AlertKind(k) }

func (s *alertChannels) CreateAlertChannel(ctx context.Context, req *connect.Request[adminv1.CreateAlertChannelRequest]) (*connect.Response[adminv1.CreateAlertChannelResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	if _, err := alertchannel.ParseSecret(req.Msg.GetSecret()); err != nil {
		return nil, err
	}
	settings := alertchannel.Settings{Name: req.Msg.GetName(), URL: req.Msg.GetUrl(), Kinds: convertAll(req.Msg.GetKinds(), fromProtoAlertKind)}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.CreateAlertChannelResponse], err error) {
		taken, err := readmodel.AlertChannels.Any(ctx, v, named(settings.Name))
		if err != nil {
			return d, err
		}
		d.Changes, err = alertchannel.Create(id, settings, alertchannel.World{NameTaken: taken, Networks: s.networks})
		d.Parts = []pglog.Part{s.seal(v.Organization, id, req.Msg.GetSecret())}
		d.Answer = func(recorded []eventlog.Event) (*adminv1.CreateAlertChannelResponse, error) {
			made, err := created(recorded, alertchannel.Apply)
			return &adminv1.CreateAlertChannelResponse{AlertChannel: toProtoAlertChannel(made)}, err
		}
		return d, err
	})
}

func (s *alertChannels) GetAlertChannel(ctx context.Context, req *connect.Request[adminv1.GetAlertChannelRequest]) (*connect.Response[adminv1.GetAlertChannelResponse], error) {
	return get(ctx, s.store, alertChannelKind, req.Msg, func(c *adminv1.AlertChannel) *adminv1.GetAlertChannelResponse {
		return &adminv1.GetAlertChannelResponse{AlertChannel: c}
	})
}

func (s *alertChannels) ListAlertChannels(ctx context.Context, req *connect.Request[adminv1.ListAlertChannelsRequest]) (*connect.Response[adminv1.ListAlertChannelsResponse], error) {
	return page(ctx, s.store, alertChannelKind, "alert channels", req.Msg, func(all []*adminv1.AlertChannel, next string) *adminv1.ListAlertChannelsResponse {
		return &adminv1.ListAlertChannelsResponse{AlertChannels: all, NextPageToken: next}
	})
}

func (s *alertChannels) UpdateAlertChannel(ctx context.Context, req *connect.Request[adminv1.UpdateAlertChannelRequest]) (*connect.Response[adminv1.UpdateAlertChannelResponse], error) {
	decide := func(ctx context.Context, v readmodel.View, was alertchannel.AlertChannel, wanted *adminv1.AlertChannel) ([]eventlog.Change, error) {
		taken, err := readmodel.AlertChannels.TakenByOther(ctx, v, was.ID, named(wanted.GetName()))
		if err != nil {
			return nil, err
		}
		settings := alertchannel.Settings{Name: wanted.GetName(), URL: wanted.GetUrl(), Kinds: convertAll(wanted.GetKinds(), fromProtoAlertKind)}
		return was.Update(settings, alertchannel.World{NameTaken: taken, Networks: s.networks})
	}
	return update(ctx, s.runner, alertChannelKind, req, "alert_channel", req.Msg.GetAlertChannel(), req.Msg.GetUpdateMask(), decide,
		func(c *adminv1.AlertChannel) *adminv1.UpdateAlertChannelResponse {
			return &adminv1.UpdateAlertChannelResponse{AlertChannel: c}
		})
}

func (s *alertChannels) SetAlertChannelSecret(ctx context.Context, req *connect.Request[adminv1.SetAlertChannelSecretRequest]) (*connect.Response[adminv1.SetAlertChannelSecretResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	if _, err := alertchannel.ParseSecret(req.Msg.GetSecret()); err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.SetAlertChannelSecretResponse], err error) {
		was, err := readmodel.AlertChannels.Find(ctx, v, id)
		if err != nil {
			return d, err
		}
		d.Version, d.Changes = was.Version, was.SetSecret()
		d.Parts = []pglog.Part{s.seal(v.Organization, id, req.Msg.GetSecret())}
		d.Answer = func(recorded []eventlog.Event) (*adminv1.SetAlertChannelSecretResponse, error) {
			after, err := changed(was, recorded, alertchannel.Apply)
			return &adminv1.SetAlertChannelSecretResponse{AlertChannel: toProtoAlertChannel(after)}, err
		}
		return d, nil
	})
}

func (s *alertChannels) DeleteAlertChannel(ctx context.Context, req *connect.Request[adminv1.DeleteAlertChannelRequest]) (*connect.Response[adminv1.DeleteAlertChannelResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.DeleteAlertChannelResponse], err error) {
		was, err := readmodel.AlertChannels.Find(ctx, v, id)
		if err != nil {
			return d, err
		}
		d.Version = was.Version
		end, err := s.end(ctx, v, was)
		d.Changes, d.Parts = end.Changes, end.Parts
		d.Answer = emptyAnswer[adminv1.DeleteAlertChannelResponse]
		return d, err
	})
}

// seal commits a secret with the events of the decision.
func (s *alertChannels) seal(organization, id uuid.UUID, secret string) pglog.Part {
	return func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		s.secrets.Put(batch, organization, id, alertchannel.SecretPurpose, vault.NewSecret(secret))
		return nil
	}
}

// end archives a channel and destroys its secret.
func (s *alertChannels) end(ctx context.Context, v readmodel.View, c alertchannel.AlertChannel) (command.Plan, error) {
	uses, err := usesByQuotas(ctx, v, c.ID)
	if err != nil {
		return command.Plan{}, err
	}
	changes, err := c.Archive(uses)
	destroy := func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		s.secrets.Delete(batch, v.Organization, c.ID)
		return nil
	}
	return command.Plan{Changes: changes, Parts: []pglog.Part{destroy}}, err
}
