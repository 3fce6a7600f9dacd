package quota

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const maxLabel = 63

var labelName = regexp.MustCompile(`^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$`)

// Scope is what a quota is about.
type Scope struct {
	On eventv1.QuotaOn `json:"on"`
	// ID of the project, key, route or provider; uuid.Nil: it is none of these.
	ID uuid.UUID `json:"id,omitzero"`
	// ProjectID is whose a key is; uuid.Nil: it is no key.
	ProjectID uuid.UUID `json:"project_id,omitzero"`
	// Label of keys, by its name.
	Label string `json:"label,omitempty"`
	// LabelValue is nil where each value of the label counts apart.
	LabelValue *string `json:"label_value,omitempty"`
}

// Target is what an organization has of the thing that a scope names.
type Target struct {
	Exists bool
	// Revoked: it is a key that opens nothing any more.
	Revoked bool
	// ProjectID is whose the key is; uuid.Nil: it is no key.
	ProjectID uuid.UUID
}

// things are the kinds that have an id, as people call them.
var things = map[eventv1.QuotaOn]string{
	eventv1.QuotaOn_QUOTA_ON_PROJECT:  "project",
	eventv1.QuotaOn_QUOTA_ON_KEY:      "key",
	eventv1.QuotaOn_QUOTA_ON_ROUTE:    "route",
	eventv1.QuotaOn_QUOTA_ON_PROVIDER: "provider",
}

// Apart tells whether each end user or label value is counted by itself.
func (s Scope) Apart() bool {
	return s.On == eventv1.QuotaOn_QUOTA_ON_END_USER || s.On == eventv1.QuotaOn_QUOTA_ON_LABEL && s.LabelValue == nil
}

// Of returns the scope with what its target adds to it. One that no request can ever
// be in is refused.
func (s Scope) Of(t Target) (Scope, error) {
	thing, named := things[s.On]
	switch {
	case s.On == eventv1.QuotaOn_QUOTA_ON_ORGANIZATION, s.On == eventv1.QuotaOn_QUOTA_ON_END_USER:
		return s, nil
	case s.On == eventv1.QuotaOn_QUOTA_ON_LABEL:
		return s, s.checkLabel()
	case !named:
		return s, fault.Field("scope", "want an organization, project_id, key_id, route_id, provider_id, end_user or label")
	case !t.Exists:
		return s, fault.Because(fault.NotFound, thing+"_not_found", "scope.%s_id: no %s %s", thing, thing, s.ID)
	case t.Revoked:
		return s, fault.Because(fault.Precondition, "key_revoked", "scope.key_id: the key was revoked, for ever; there is nothing to hold")
	}
	s.ProjectID = t.ProjectID
	return s, nil
}

func (s Scope) checkLabel() error {
	if !labelName.MatchString(s.Label) {
		return fault.Field("scope.label.name", "want lower-case letters, digits and inner -._/ , at most %d", maxLabel)
	}
	if s.LabelValue != nil && len(*s.LabelValue) > maxLabel {
		return fault.Field("scope.label.value", "at most %d bytes", maxLabel)
	}
	return nil
}

// Keep returns the scope that a quota has, where another one was not asked for; thing
// is "limit" or "budget".
func (s Scope) Keep(wanted Scope, thing string) (Scope, error) {
	wanted.ProjectID = s.ProjectID // which nobody says
	if !proto.Equal(wanted.ToEvent(), s.ToEvent()) {
		return s, fault.Field("scope", "it can't change; make another %s", thing)
	}
	return s, nil
}

// Project is the project that it is about, or the one of its key; uuid.Nil: it is about
// neither.
func (s Scope) Project() uuid.UUID {
	if s.On == eventv1.QuotaOn_QUOTA_ON_PROJECT {
		return s.ID
	}
	return s.ProjectID
}

// ToEvent is the stored form.
func (s Scope) ToEvent() *eventv1.QuotaScope {
	return &eventv1.QuotaScope{On: s.On, Id: text(s.ID), ProjectId: text(s.ProjectID), Label: s.Label, LabelValue: s.LabelValue}
}

// FromEvent reads the stored form.
func FromEvent(e *eventv1.QuotaScope) (s Scope, err error) {
	if e.GetOn() == eventv1.QuotaOn_QUOTA_ON_UNSPECIFIED {
		return s, errors.New("it has no scope")
	}
	s = Scope{On: e.GetOn(), Label: e.GetLabel(), LabelValue: e.LabelValue}
	if s.ID, err = parse(e.GetId()); err != nil {
		return s, fmt.Errorf("scope: %w", err)
	}
	if s.ProjectID, err = parse(e.GetProjectId()); err != nil {
		return s, fmt.Errorf("project of the scope: %w", err)
	}
	return s, nil
}

func text(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}

func parse(text string) (uuid.UUID, error) {
	if text == "" {
		return uuid.Nil, nil
	}
	return uuid.Parse(text)
}
