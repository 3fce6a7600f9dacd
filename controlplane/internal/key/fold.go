package key

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(k Key, e eventlog.Event) (Key, error) {
	switch body := e.Body.(type) {
	case *eventv1.KeyCreated:
		created, err := fromCreated(body)
		if err != nil {
			return k, fmt.Errorf("fold key %s: %w", e.Subject, err)
		}
		k = created
		k.ID, k.CreatedAt = e.Subject, e.RecordedAt
	case *eventv1.KeyRevoked:
		k.RevokedAt, k.RevokedVersion = timeOf(body.GetRevokedAt()), e.Version
	default:
		return k, fmt.Errorf("fold key: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	k.Version = e.Version
	return k, nil
}

func fromCreated(body *eventv1.KeyCreated) (Key, error) {
	project, err := uuid.Parse(body.GetProjectId())
	if err != nil {
		return Key{}, fmt.Errorf("project: %w", err)
	}
	routes := make([]uuid.UUID, 0, len(body.GetRouteIds()))
	for _, text := range body.GetRouteIds() {
		id, err := uuid.Parse(text)
		if err != nil {
			return Key{}, fmt.Errorf("route: %w", err)
		}
		routes = append(routes, id)
	}
	return Key{
		ProjectID: project, Name: body.GetName(), SHA256: body.GetSha256(), Suffix: body.GetSuffix(),
		RouteIDs: routes, ExpiresAt: timeOf(body.GetExpiresAt()),
	}, nil
}

// timeOf keeps an absent time apart from 1970.
func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
