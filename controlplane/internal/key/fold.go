package key

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(k Key, e eventlog.Event) (Key, error) {
	var err error
	switch body := e.Body.(type) {
	case *eventv1.KeyCreated:
		k, err = fromCreated(body, e)
	case *eventv1.KeyUpdated:
		k.Settings, err = fromEvent(body)
	case *eventv1.KeyRotated:
		k.Previous = &Previous{SHA256: k.SHA256, Suffix: k.Suffix, ExpiresAt: body.GetPreviousExpiresAt().AsTime()}
		k.SHA256, k.Suffix = body.GetSha256(), body.GetSuffix()
	case *eventv1.KeyOverlapEnded:
		err = k.endOverlap(body.GetEndedAt().AsTime(), e.Version)
	case *eventv1.KeyRevoked:
		k.RevokedAt, k.RevokedVersion = timeOf(body.GetRevokedAt()), e.Version
	default:
		err = eventlog.ErrUnknownKind
	}
	if err != nil {
		return k, fmt.Errorf("fold key %s: %s: %w", e.Subject, e.Kind, err)
	}
	k.Version = e.Version
	return k, nil
}

func (k *Key) endOverlap(at time.Time, version int64) error {
	if k.Previous == nil {
		return errors.New("it was not rotated")
	}
	previous := *k.Previous
	if at.Before(previous.ExpiresAt) {
		previous.ExpiresAt = at
	}
	kept := k.Ended[max(0, len(k.Ended)-maxEnded+1):]
	k.Ended = append(slices.Clone(kept), Ended{SHA256: previous.SHA256, At: at, Version: version})
	k.Previous = &previous
	return nil
}

func fromCreated(body *eventv1.KeyCreated, e eventlog.Event) (Key, error) {
	project, err := uuid.Parse(body.GetProjectId())
	if err != nil {
		return Key{}, fmt.Errorf("project: %w", err)
	}
	k := Key{ID: e.Subject, ProjectID: project, SHA256: body.GetSha256(), Suffix: body.GetSuffix(), CreatedAt: e.RecordedAt}
	k.Settings, err = fromEvent(body)
	return k, err
}
