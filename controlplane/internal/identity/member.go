package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

var _ authn.Members = (*Members)(nil)

// maxMemberships of one person; more are a mistake or an attack.
const maxMemberships = 100

// Members finds members by their logins, and lets in who is invited.
type Members struct {
	db     *postgres.DB
	runner *command.Runner
}

// NewMembers returns the members in db.
func NewMembers(db *postgres.DB, runner *command.Runner) *Members { return &Members{db, runner} }

// Memberships implements authn.Members. A first login is known by its verified
// address and bound to issuer and subject; from then on the address does not
// matter, and nobody else gets in with it.
func (s *Members) Memberships(ctx context.Context, p authn.Person) ([]authn.Membership, error) {
	if p.Issuer == "" || p.Subject == "" {
		return nil, nil
	}
	if p.EmailVerified && p.Email != "" {
		if err := s.join(ctx, p); err != nil {
			return nil, fmt.Errorf("let a person join: %w", err)
		}
	}
	var found []authn.Membership
	err := s.db.System(ctx, func(tx pgx.Tx) (err error) {
		found, err = memberships(ctx, tx, ` WHERE p.issuer = $1 AND p.subject = $2 ORDER BY 4, 1 LIMIT $3`, p.Issuer, p.Subject, maxMemberships)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find members by login: %w", err)
	}
	return found, nil
}

// memberships are those that may be used now.
func memberships(ctx context.Context, tx pgx.Tx, where string, args ...any) ([]authn.Membership, error) {
	const query = `SELECT who.organization_id, who.state::text, coalesce(nullif(p.name, ''), p.email),
			coalesce(nullif(o.state ->> 'display_name', ''), o.name), o.suspended_at IS NOT NULL, ` + bindingsOf + `
		FROM member_person p
		JOIN member who ON who.organization_id = p.organization_id AND who.id = p.member_id AND who.valid_to IS NULL
		JOIN organization o ON o.organization_id = p.organization_id AND o.valid_to IS NULL`
	rows, err := tx.Query(ctx, query+where, args...)
	if err != nil {
		return nil, err
	}
	var found []authn.Membership
	var organizationID uuid.UUID
	var state, display, name, bindings string
	var suspended bool
	_, err = pgx.ForEachRow(rows, []any{&organizationID, &state, &display, &name, &suspended, &bindings}, func() error {
		var m member.Member
		who := authn.Principal{Kind: authn.Member, OrganizationID: organizationID, Display: display, Suspended: suspended}
		if err := errors.Join(json.Unmarshal([]byte(state), &m), json.Unmarshal([]byte(bindings), &who.Bindings)); err != nil {
			return err
		}
		if m.Active() {
			who.ID, who.Role = m.ID, m.Role
			found = append(found, authn.Membership{Organization: name, Principal: who})
		}
		return nil
	})
	return found, err
}

// principal is the member as it is now; pgx.ErrNoRows where it may not log in.
func principal(ctx context.Context, tx pgx.Tx, organization, id uuid.UUID) (authn.Principal, error) {
	found, err := memberships(ctx, tx, ` WHERE who.organization_id = $1 AND who.id = $2`, organization, id)
	if err != nil {
		return authn.Principal{}, err
	}
	if len(found) == 0 {
		return authn.Principal{}, pgx.ErrNoRows
	}
	return found[0].Principal, nil
}

func domainOf(email string) string {
	_, domain, _ := strings.Cut(strings.ToLower(email), "@")
	return domain
}
