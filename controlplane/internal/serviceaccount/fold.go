package serviceaccount

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into an account's state.
func Apply(a ServiceAccount, e eventlog.Event) (ServiceAccount, error) {
	switch body := e.Body.(type) {
	case *eventv1.ServiceAccountCreated:
		a = ServiceAccount{ID: e.Subject, Name: body.GetName(), Role: body.GetRole(), CreatedAt: e.RecordedAt}
	case *eventv1.ServiceAccountUpdated:
		a.Name, a.Role = body.GetName(), body.GetRole()
	default:
		return a, fmt.Errorf("fold service account: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	a.Version = e.Version
	return a, nil
}

// ApplyToken folds one event into a token's state.
func ApplyToken(t Token, e eventlog.Event) (Token, error) {
	switch body := e.Body.(type) {
	case *eventv1.ServiceAccountTokenCreated:
		account, err := uuid.Parse(body.GetServiceAccountId())
		if err != nil {
			return t, fmt.Errorf("fold service-account token %s: account: %w", e.Subject, err)
		}
		t = Token{
			ID: e.Subject, ServiceAccountID: account, Name: body.GetName(), SHA256: body.GetSha256(),
			Suffix: body.GetSuffix(), ExpiresAt: timeOf(body.GetExpiresAt()), CreatedAt: e.RecordedAt,
		}
	case *eventv1.ServiceAccountTokenRevoked:
		t.RevokedAt = e.RecordedAt
	default:
		return t, fmt.Errorf("fold service-account token: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	t.Version = e.Version
	return t, nil
}

// timeOf keeps an absent time apart from 1970.
func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
