// Package authn finds out who is calling: service-account tokens, console
// sessions after an OIDC login, and the operator's token. It decides nothing
// about what they may do.
package authn

import (
	"context"

	"github.com/google/uuid"

	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Kind is the sort of caller.
type Kind string

const (
	Member         Kind = "member"
	ServiceAccount Kind = "service_account"
	// Operator runs the installation; it belongs to no organization.
	Operator Kind = "operator"
)

// Principal is who is calling.
type Principal struct {
	Kind Kind
	// ID of the member or service account; uuid.Nil for the operator.
	ID uuid.UUID
	// OrganizationID is uuid.Nil for the operator.
	OrganizationID uuid.UUID
	Role           eventv1.Role
	// Suspended: nobody of the organization may do anything.
	Suspended bool
	// Bindings are its roles on single projects.
	Bindings []Binding
	// SessionID of the console login that came with the request; uuid.Nil for tokens.
	SessionID uuid.UUID
	// Display is a name or address to show to the caller itself; never logged.
	Display string
}

// Binding is a role on one project.
type Binding struct {
	ProjectID uuid.UUID    `json:"project_id"`
	Role      eventv1.Role `json:"role"`
}

// Actor is how the log names the principal: "member:<id>", "operator".
func (p Principal) Actor() string {
	if p.Kind == Operator {
		return string(Operator)
	}
	return string(p.Kind) + ":" + p.ID.String()
}

type contextKey struct{}

// With returns a context that carries the principal.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns the context's principal.
func From(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(contextKey{}).(Principal)
	return p, ok
}
