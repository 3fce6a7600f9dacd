package member

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Domain lets everybody with a verified address in it join at login.
type Domain struct {
	ID uuid.UUID `json:"id"`
	// Name is lower case.
	Name      string       `json:"name"`
	Role      eventv1.Role `json:"role"`
	CreatedAt time.Time    `json:"created_at"`
	Version   int64        `json:"version"`
}

// DomainSetting is what SetDomain needs.
type DomainSetting struct {
	ID   uuid.UUID
	Name string
	Role eventv1.Role
	// By is the caller's own role.
	By eventv1.Role
	// Claimable: the caller is a member who logged in with an address of the domain.
	Claimable bool
	// Known is the organization's own setting for the domain; nil: none.
	Known *Domain
}

// SetDomain lets people in. Their role reads and reports at most: whoever has an
// address has it, and nobody looked at them.
func SetDomain(s DomainSetting) ([]eventlog.Change, error) {
	if s.Role != eventv1.Role_ROLE_ANALYST && s.Role != eventv1.Role_ROLE_VIEWER {
		return nil, fault.Field("role", "want analyst or viewer; raise single members afterwards")
	}
	if err := notAbove(s.Role, s.By); err != nil {
		return nil, err
	}
	if s.Known != nil && s.Known.Role == s.Role {
		return nil, nil
	}
	if s.Known != nil {
		return []eventlog.Change{{Subject: s.Known.ID, Body: &eventv1.JoinDomainChanged{Role: s.Role}}}, nil
	}
	if !s.Claimable {
		return nil, fault.Because(fault.Precondition, "domain_not_own",
			"only a member who logged in with an address of the domain can claim it: log in to the console with one")
	}
	return []eventlog.Change{{Subject: s.ID, Body: &eventv1.JoinDomainAdded{Domain: strings.ToLower(s.Name), Role: s.Role}}}, nil
}

// TakenDomain is the fault for a domain that another organization has.
func TakenDomain(name string) error {
	return fault.Because(fault.Conflict, "domain_taken", "another organization lets people of %q join", name)
}

// Remove lets nobody join any more; who did stays.
func (d Domain) Remove() []eventlog.Change {
	return []eventlog.Change{{Subject: d.ID, Body: &eventv1.JoinDomainRemoved{}}}
}

// ApplyDomain folds one event into the state.
func ApplyDomain(d Domain, e eventlog.Event) (Domain, error) {
	switch body := e.Body.(type) {
	case *eventv1.JoinDomainAdded:
		d = Domain{ID: e.Subject, Name: body.GetDomain(), Role: body.GetRole(), CreatedAt: e.RecordedAt}
	case *eventv1.JoinDomainChanged:
		d.Role = body.GetRole()
	default:
		return d, fmt.Errorf("fold join domain: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	d.Version = e.Version
	return d, nil
}
