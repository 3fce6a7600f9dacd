package rpc

import (
	"cmp"
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/quota"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/token"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.KeyServiceHandler = (*keys)(nil)

// defaultOverlap is how long the secret before a rotation lives on.
const defaultOverlap = 24 * time.Hour

type keys struct {
	runner *command.Runner
	store  *readmodel.Store
	agents AgentStatuses
}

var keyKind = kind[key.Key, *adminv1.Key]{
	table: readmodel.Keys, convert: toProtoKey, apply: key.Apply,
	version: func(k key.Key) int64 { return k.Version },
	project: func(k key.Key) uuid.UUID { return k.ProjectID }, projectColumn: "project_id",
	settable: []protoreflect.Name{"name", "route_ids", "expires_at", "labels", "weight", "priority"},
}

func (s *keys) CreateKey(ctx context.Context, req *connect.Request[adminv1.CreateKeyRequest]) (*connect.Response[adminv1.CreateKeyResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	project, err := parseID("project_id", req.Msg.GetProjectId())
	if err != nil {
		return nil, err
	}
	if reach, err := reachOf(ctx, req.Msg); err != nil || !reach.Has(project) {
		return nil, cmp.Or(err, readmodel.Projects.Missing(project))
	}
	settings, err := fromProtoKey(req.Msg)
	if err != nil {
		return nil, err
	}
	secret, kept, err := newKeySecret()
	if err != nil {
		return nil, err
	}
	creation := key.Creation{ID: id, ProjectID: project, Settings: settings, Secret: kept}
	return create(ctx, s.runner, keyKind, req, func(ctx context.Context, v readmodel.View) ([]eventlog.Change, error) {
		world, err := keyWorld(ctx, v, id, project, settings)
		if err != nil {
			return nil, err
		}
		return key.Create(creation, world)
	}, func(k *adminv1.Key) *adminv1.CreateKeyResponse {
		return &adminv1.CreateKeyResponse{Key: k, Secret: secret}
	})
}

func newKeySecret() (string, key.Secret, error) {
	secret, hash, suffix, err := token.New(token.Key)
	return secret, key.Secret{SHA256: hash, Suffix: suffix}, err
}

func (s *keys) GetKey(ctx context.Context, req *connect.Request[adminv1.GetKeyRequest]) (*connect.Response[adminv1.GetKeyResponse], error) {
	return get(ctx, s.store, keyKind, req.Msg, func(k *adminv1.Key) *adminv1.GetKeyResponse { return &adminv1.GetKeyResponse{Key: k} })
}

func (s *keys) ListKeys(ctx context.Context, req *connect.Request[adminv1.ListKeysRequest]) (*connect.Response[adminv1.ListKeysResponse], error) {
	matches, err := sameID("project_id", req.Msg.GetProjectId())
	if err != nil {
		return nil, err
	}
	return page(ctx, s.store, keyKind, "keys of "+req.Msg.GetProjectId(), req.Msg, func(all []*adminv1.Key, next string) *adminv1.ListKeysResponse {
		return &adminv1.ListKeysResponse{Keys: all, NextPageToken: next}
	}, matches...)
}

// sameID is the filter of a list by an id column; an empty text filters nothing.
func sameID(column, text string) ([]readmodel.Match, error) {
	if text == "" {
		return nil, nil
	}
	id, err := parseID(column, text)
	return []readmodel.Match{{Column: column, Value: id}}, err
}

func (s *keys) UpdateKey(ctx context.Context, req *connect.Request[adminv1.UpdateKeyRequest]) (*connect.Response[adminv1.UpdateKeyResponse], error) {
	decide := func(ctx context.Context, v readmodel.View, was key.Key, wanted *adminv1.Key) ([]eventlog.Change, error) {
		settings, err := fromProtoKey(wanted)
		if err != nil {
			return nil, err
		}
		world, err := keyWorld(ctx, v, was.ID, was.ProjectID, settings)
		if err != nil {
			return nil, err
		}
		return was.Update(settings, world)
	}
	return update(ctx, s.runner, keyKind, req, "key", req.Msg.GetKey(), req.Msg.GetUpdateMask(), decide,
		func(k *adminv1.Key) *adminv1.UpdateKeyResponse { return &adminv1.UpdateKeyResponse{Key: k} })
}

func (s *keys) RotateKey(ctx context.Context, req *connect.Request[adminv1.RotateKeyRequest]) (*connect.Response[adminv1.RotateKeyResponse], error) {
	secret, kept, err := newKeySecret()
	if err != nil {
		return nil, err
	}
	overlap := defaultOverlap
	if req.Msg.GetOverlap() != nil {
		overlap = req.Msg.GetOverlap().AsDuration()
	}
	now := time.Now()
	return act(ctx, s.runner, keyKind, req, req.Msg, func(_ context.Context, _ readmodel.View, was key.Key) ([]eventlog.Change, error) {
		return was.Rotate(kept, overlap, now)
	}, func(k *adminv1.Key) *adminv1.RotateKeyResponse {
		return &adminv1.RotateKeyResponse{Key: k, Secret: secret}
	})
}

func (s *keys) RevokeKey(ctx context.Context, req *connect.Request[adminv1.RevokeKeyRequest]) (*connect.Response[adminv1.RevokeKeyResponse], error) {
	now := time.Now()
	return act(ctx, s.runner, keyKind, req, req.Msg, func(_ context.Context, _ readmodel.View, was key.Key) ([]eventlog.Change, error) {
		return was.Revoke(req.Msg.GetReason(), now)
	}, func(k *adminv1.Key) *adminv1.RevokeKeyResponse { return &adminv1.RevokeKeyResponse{Key: k} })
}

func (s *keys) EndKeyOverlap(ctx context.Context, req *connect.Request[adminv1.EndKeyOverlapRequest]) (*connect.Response[adminv1.EndKeyOverlapResponse], error) {
	now := time.Now()
	return act(ctx, s.runner, keyKind, req, req.Msg, func(_ context.Context, _ readmodel.View, was key.Key) ([]eventlog.Change, error) {
		return was.EndOverlap(req.Msg.GetReason(), now)
	}, func(k *adminv1.Key) *adminv1.EndKeyOverlapResponse { return &adminv1.EndKeyOverlapResponse{Key: k} })
}

func (s *keys) DeleteKey(ctx context.Context, req *connect.Request[adminv1.DeleteKeyRequest]) (*connect.Response[adminv1.DeleteKeyResponse], error) {
	now := time.Now()
	return archive[key.Key, *adminv1.Key, adminv1.DeleteKeyResponse](ctx, s.runner, keyKind, req, req.Msg,
		func(ctx context.Context, v readmodel.View, was key.Key) ([]eventlog.Change, error) {
			limits, budgets, err := quotasNaming(ctx, v, was.ID, quota.Most)
			if err != nil {
				return nil, err
			}
			return was.Archive(req.Msg.GetReason(), now, limits, budgets)
		})
}

// keyWorld reads what decisions about a key depend on.
func keyWorld(ctx context.Context, v readmodel.View, id, project uuid.UUID, s key.Settings) (w key.World, err error) {
	w.Now = time.Now()
	found, err := readmodel.Projects.Which(ctx, v, []uuid.UUID{project})
	if err != nil {
		return w, err
	}
	w.ProjectExists = found[project]
	if w.Routes, err = readmodel.Routes.Which(ctx, v, s.RouteIDs); err != nil {
		return w, err
	}
	w.NameTaken, err = readmodel.Keys.TakenByOther(ctx, v, id,
		named(s.Name), readmodel.Match{Column: "project_id", Value: project}, readmodel.Match{Column: "revoked_at"})
	return w, err
}
