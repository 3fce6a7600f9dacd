package rpc

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/token"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.KeyServiceHandler = (*keys)(nil)

type keys struct {
	runner *command.Runner
	store  *readmodel.Store
}

func (s *keys) CreateKey(ctx context.Context, req *connect.Request[adminv1.CreateKeyRequest]) (*connect.Response[adminv1.CreateKeyResponse], error) {
	creation, err := fromCreateKey(req.Msg)
	if err != nil {
		return nil, err
	}
	secret, hash, suffix, err := token.New(token.Key)
	if err != nil {
		return nil, err
	}
	creation.SHA256, creation.Suffix = hash, suffix
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.CreateKeyResponse], err error) {
		if err := look(ctx, v, &creation); err != nil {
			return d, err
		}
		d.Changes, err = key.Create(creation)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.CreateKeyResponse, error) {
			k, err := created(recorded, key.Apply)
			return &adminv1.CreateKeyResponse{Key: toProtoKey(k), Secret: secret}, err
		}
		return d, err
	})
}

func fromCreateKey(msg *adminv1.CreateKeyRequest) (key.Creation, error) {
	id, err := newID()
	if err != nil {
		return key.Creation{}, err
	}
	project, err := parseID("project_id", msg.GetProjectId())
	if err != nil {
		return key.Creation{}, err
	}
	creation := key.Creation{
		ID: id, ProjectID: project, Name: msg.GetName(), ExpiresAt: fromTimestamp(msg.GetExpiresAt()), Now: time.Now(),
	}
	for i, text := range msg.GetRouteIds() {
		routeID, err := parseID(fmt.Sprintf("route_ids[%d]", i), text)
		if err != nil {
			return key.Creation{}, err
		}
		creation.RouteIDs = append(creation.RouteIDs, routeID)
	}
	return creation, nil
}

// look reads what the decision about a new key depends on.
func look(ctx context.Context, v readmodel.View, c *key.Creation) error {
	found, err := readmodel.Projects.Which(ctx, v, []uuid.UUID{c.ProjectID})
	if err != nil {
		return err
	}
	c.ProjectExists = found[c.ProjectID]
	if c.Routes, err = readmodel.Routes.Which(ctx, v, c.RouteIDs); err != nil {
		return err
	}
	same, err := readmodel.Keys.All(ctx, v, named(c.Name), readmodel.Match{Column: "project_id", Value: c.ProjectID})
	c.NameTaken = false
	for _, k := range same {
		c.NameTaken = c.NameTaken || k.RevokedAt.IsZero()
	}
	return err
}

func (s *keys) RevokeKey(ctx context.Context, req *connect.Request[adminv1.RevokeKeyRequest]) (*connect.Response[adminv1.RevokeKeyResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.RevokeKeyResponse], err error) {
		k, err := readmodel.Keys.Find(ctx, v, id)
		if err != nil {
			return d, err
		}
		d.Changes, err = k.Revoke(req.Msg.GetReason(), now)
		d.Answer = func(recorded []eventlog.Event) (*adminv1.RevokeKeyResponse, error) {
			after, err := changed(k, recorded, key.Apply)
			return &adminv1.RevokeKeyResponse{Key: toProtoKey(after)}, err
		}
		return d, err
	})
}

func (s *keys) GetKey(ctx context.Context, req *connect.Request[adminv1.GetKeyRequest]) (*connect.Response[adminv1.GetKeyResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.GetKeyResponse, error) {
		k, err := readmodel.Keys.Find(ctx, v, id)
		return &adminv1.GetKeyResponse{Key: toProtoKey(k)}, err
	})
}

func (s *keys) ListKeys(ctx context.Context, req *connect.Request[adminv1.ListKeysRequest]) (*connect.Response[adminv1.ListKeysResponse], error) {
	matches, err := sameID("project_id", req.Msg.GetProjectId())
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (answer *adminv1.ListKeysResponse, err error) {
		answer = &adminv1.ListKeysResponse{}
		name := "keys of " + req.Msg.GetProjectId()
		answer.Keys, answer.NextPageToken, err = list(ctx, v, readmodel.Keys, toProtoKey, name, req.Msg.GetPage(), matches...)
		return answer, err
	})
}

// sameID is the filter of a list by an id column; an empty text filters nothing.
func sameID(column, text string) ([]readmodel.Match, error) {
	if text == "" {
		return nil, nil
	}
	id, err := parseID(column, text)
	return []readmodel.Match{{Column: column, Value: id}}, err
}
