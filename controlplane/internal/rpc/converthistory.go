package rpc

import (
	"strings"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/history"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func toProtoEvent(e eventlog.Event, t turn) (*adminv1.Event, error) {
	fields, err := history.Fields(t.before, t.after)
	if err != nil {
		return nil, err
	}
	body, err := history.Body(e.Body)
	if err != nil {
		return nil, err
	}
	return &adminv1.Event{
		Version: e.Version, Kind: e.Kind, RecordedAt: toTimestamp(e.RecordedAt), Actor: toProtoActor(e.Actor),
		Address: e.Source.Address, UserAgent: e.Source.UserAgent, RequestId: e.RequestID,
		Resource: &adminv1.ResourceRef{Kind: t.kind, Id: e.Subject.String(), Name: t.name},
		Body:     body, Fields: convertAll(fields, toProtoField),
	}, nil
}

// toProtoActor reads what authn.Principal.Actor gives.
func toProtoActor(actor string) *adminv1.Actor {
	kind, id, _ := strings.Cut(actor, ":")
	return &adminv1.Actor{Kind: kind, Id: id}
}

func toProtoField(f history.Field) *adminv1.FieldChange {
	return &adminv1.FieldChange{Path: f.Path, Before: f.Before, After: f.After}
}

func (t turn) ref() *adminv1.ResourceRef {
	return &adminv1.ResourceRef{Kind: t.kind, Id: t.id.String(), Name: t.name}
}

// toProtoChange is nil where nothing that the API shows differs.
func toProtoChange(t turn) (*adminv1.ResourceChange, error) {
	fields, err := history.Fields(t.before, t.after)
	if err != nil || len(fields) == 0 {
		return nil, err
	}
	change := &adminv1.ResourceChange{
		Action: adminv1.ChangeAction_CHANGE_ACTION_CHANGED, Resource: t.ref(), Fields: convertAll(fields, toProtoField),
	}
	switch {
	case t.before == nil:
		change.Action = adminv1.ChangeAction_CHANGE_ACTION_ADDED
	case t.after == nil:
		change.Action = adminv1.ChangeAction_CHANGE_ACTION_REMOVED
	}
	return change, nil
}
