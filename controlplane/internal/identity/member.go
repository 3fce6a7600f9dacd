package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/member"
)

// Login is who an OIDC provider says has logged in.
type Login struct {
	// Issuer and Subject name a person for ever.
	Issuer, Subject string
	Email           string
	EmailVerified   bool
	Name            string
}

// AddPerson is the log's part that keeps a new member's address, outside the log.
func AddPerson(organization, memberID uuid.UUID, email string) pglog.Part {
	return func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		const insert = `INSERT INTO member_person (organization_id, member_id, email) VALUES ($1, $2, $3)`
		batch.Queue(insert, organization, memberID, strings.ToLower(email))
		return nil
	}
}

// FindMember returns the member who logged in. A first login is known by its
// verified address and bound to issuer and subject; from then on the address does
// not matter. Who belongs to several organizations gets the one joined first.
// Nobody's login is a Denied fault.
func (s *Store) FindMember(ctx context.Context, l Login) (authn.Principal, error) {
	var found authn.Principal
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		organization, id, err := bound(ctx, tx, l)
		if errors.Is(err, pgx.ErrNoRows) {
			organization, id, err = bind(ctx, tx, l)
		}
		if err != nil {
			return err
		}
		found, err = principal(ctx, tx, organization, id)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return authn.Principal{}, fault.Because(fault.Denied, "not_a_member", "nobody with this login is a member of an organization")
	}
	if err != nil {
		return authn.Principal{}, fmt.Errorf("find member by login: %w", err)
	}
	return found, nil
}

func bound(ctx context.Context, tx pgx.Tx, l Login) (organization, id uuid.UUID, err error) {
	const query = `SELECT organization_id, member_id FROM member_person
		WHERE issuer = $1 AND subject = $2 ORDER BY added_at, organization_id LIMIT 1`
	err = tx.QueryRow(ctx, query, l.Issuer, l.Subject).Scan(&organization, &id)
	return organization, id, err
}

// bind happens once: an address that has its person is nobody else's.
func bind(ctx context.Context, tx pgx.Tx, l Login) (organization, id uuid.UUID, err error) {
	const query = `UPDATE member_person SET issuer = $1, subject = $2, name = $4
		WHERE (organization_id, member_id) = (
			SELECT organization_id, member_id FROM member_person
			WHERE email = $3 AND issuer IS NULL ORDER BY added_at, organization_id LIMIT 1 FOR UPDATE)
		RETURNING organization_id, member_id`
	if !l.EmailVerified || l.Email == "" || l.Issuer == "" || l.Subject == "" {
		return organization, id, pgx.ErrNoRows
	}
	err = tx.QueryRow(ctx, query, l.Issuer, l.Subject, strings.ToLower(l.Email), l.Name).Scan(&organization, &id)
	return organization, id, err
}

// principal is the member as it is now; its row's absence is pgx.ErrNoRows.
func principal(ctx context.Context, tx pgx.Tx, organization, id uuid.UUID) (authn.Principal, error) {
	const query = `SELECT m.state::text, coalesce(nullif(p.name, ''), p.email) FROM member m
		JOIN member_person p ON p.organization_id = m.organization_id AND p.member_id = m.id
		WHERE m.organization_id = $1 AND m.id = $2 AND m.valid_to IS NULL`
	var state, display string
	if err := tx.QueryRow(ctx, query, organization, id).Scan(&state, &display); err != nil {
		return authn.Principal{}, err
	}
	var m member.Member
	if err := json.Unmarshal([]byte(state), &m); err != nil {
		return authn.Principal{}, err
	}
	return authn.Principal{Kind: authn.Member, ID: m.ID, OrganizationID: organization, Role: m.Role, Display: display}, nil
}
