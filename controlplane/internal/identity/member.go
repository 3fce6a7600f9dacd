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
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

var _ authn.Members = (*Members)(nil)

// Members finds members by their logins.
type Members struct{ db *postgres.DB }

// NewMembers returns the members in db.
func NewMembers(db *postgres.DB) *Members { return &Members{db} }

// AddPerson is the log's part that keeps a new member's address, outside the log.
func AddPerson(organization, memberID uuid.UUID, email string) pglog.Part {
	return func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		const insert = `INSERT INTO member_person (organization_id, member_id, email) VALUES ($1, $2, $3)`
		batch.Queue(insert, organization, memberID, strings.ToLower(email))
		return nil
	}
}

// Memberships implements authn.Members.
func (s *Members) Memberships(ctx context.Context, p authn.Person) ([]authn.Membership, error) {
	found, err := s.resolve(ctx, p)
	if errors.Is(err, errStranger) {
		return nil, nil
	}
	return []authn.Membership{{Principal: found}}, err
}

var errStranger = errors.New("not a member")

// resolve: a first login is known by its verified
// address and bound to issuer and subject; from then on the address does not
// matter, and nobody else gets in with it. Who belongs to several organizations
// gets the one joined first.
func (s *Members) resolve(ctx context.Context, p authn.Person) (authn.Principal, error) {
	var found authn.Principal
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		organization, id, err := bound(ctx, tx, p)
		if errors.Is(err, pgx.ErrNoRows) {
			organization, id, err = bind(ctx, tx, p)
		}
		if err != nil {
			return err
		}
		found, err = principal(ctx, tx, organization, id)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return authn.Principal{}, errStranger
	}
	if err != nil {
		return authn.Principal{}, fmt.Errorf("find member by login: %w", err)
	}
	return found, nil
}

func bound(ctx context.Context, tx pgx.Tx, p authn.Person) (organization, id uuid.UUID, err error) {
	const query = `SELECT organization_id, member_id FROM member_person
		WHERE issuer = $1 AND subject = $2 ORDER BY added_at, organization_id LIMIT 1`
	err = tx.QueryRow(ctx, query, p.Issuer, p.Subject).Scan(&organization, &id)
	return organization, id, err
}

// bind happens once: an address that has its person is nobody else's.
func bind(ctx context.Context, tx pgx.Tx, p authn.Person) (organization, id uuid.UUID, err error) {
	const query = `UPDATE member_person SET issuer = $1, subject = $2, name = $4
		WHERE (organization_id, member_id) = (
			SELECT organization_id, member_id FROM member_person
			WHERE email = $3 AND issuer IS NULL ORDER BY added_at, organization_id LIMIT 1 FOR UPDATE)
		RETURNING organization_id, member_id`
	if !p.EmailVerified || p.Email == "" || p.Issuer == "" || p.Subject == "" {
		return organization, id, pgx.ErrNoRows
	}
	err = tx.QueryRow(ctx, query, p.Issuer, p.Subject, strings.ToLower(p.Email), p.Name).Scan(&organization, &id)
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
