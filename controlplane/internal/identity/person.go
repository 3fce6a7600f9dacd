package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// What is here keeps the one table with personal data, in the transaction of the
// command that it belongs to.

// AddPerson is the log's part that keeps a new member's address, outside the log.
func AddPerson(organization, memberID uuid.UUID, email string) pglog.Part {
	return func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		const insert = `INSERT INTO member_person (organization_id, member_id, email) VALUES ($1, $2, $3)`
		batch.Queue(insert, organization, memberID, strings.ToLower(email))
		return nil
	}
}

// RemovePerson is the part of a member's removal: sessions end at once. Of an
// invitation nothing is kept.
func RemovePerson(organization uuid.UUID, m member.Member) pglog.Part {
	if m.Invited() {
		return ErasePerson(organization, m.ID)
	}
	return func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		const leave = `UPDATE member_person SET removed_at = now() WHERE organization_id = $1 AND member_id = $2 AND removed_at IS NULL`
		batch.Queue(leave, organization, m.ID)
		endSessions(batch, organization, m.ID)
		return nil
	}
}

// ErasePerson forgets who a member was.
func ErasePerson(organization, memberID uuid.UUID) pglog.Part {
	return func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		batch.Queue(`DELETE FROM member_person WHERE organization_id = $1 AND member_id = $2`, organization, memberID)
		endSessions(batch, organization, memberID)
		return nil
	}
}

func endSessions(batch *pgx.Batch, organization, memberID uuid.UUID) {
	batch.Queue(`DELETE FROM session WHERE organization_id = $1 AND member_id = $2`, organization, memberID)
}

// addLogin is AddPerson for who is logged in already.
func addLogin(organization, memberID uuid.UUID, p authn.Person) pglog.Part {
	return func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		const insert = `INSERT INTO member_person (organization_id, member_id, email, issuer, subject, name) VALUES ($1, $2, $3, $4, $5, $6)`
		batch.Queue(insert, organization, memberID, strings.ToLower(p.Email), p.Issuer, p.Subject, p.Name)
		return nil
	}
}

// bindLogin gives an address to the person who logged in with it first; it is
// nobody else's from then on. Who decided on an older state decides again.
func bindLogin(organization, memberID uuid.UUID, p authn.Person) pglog.Part {
	return func(ctx context.Context, tx pgx.Tx, _ *pgx.Batch, _ []eventlog.Event) error {
		const update = `UPDATE member_person SET issuer = $3, subject = $4, name = $5
			WHERE organization_id = $1 AND member_id = $2 AND issuer IS NULL AND removed_at IS NULL`
		done, err := tx.Exec(ctx, update, organization, memberID, p.Issuer, p.Subject, p.Name)
		if err == nil && done.RowsAffected() == 0 {
			err = eventlog.ErrStale
		}
		if err != nil {
			return fmt.Errorf("bind login of member %s: %w", memberID, err)
		}
		return nil
	}
}

// Holder returns the member, not removed, who has an address; nil: nobody.
func Holder(ctx context.Context, v readmodel.View, email string) (*member.Member, error) {
	const query = `SELECT member_id FROM member_person WHERE organization_id = $1 AND email = $2 AND removed_at IS NULL`
	var id uuid.UUID
	err := v.Tx.QueryRow(ctx, query, v.Organization, strings.ToLower(email)).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find who has an address: %w", err)
	}
	m, err := readmodel.Members.Find(ctx, v, id)
	return &m, err
}

// HasAddressIn tells whether the member logged in with an address of the domain.
func HasAddressIn(ctx context.Context, v readmodel.View, memberID uuid.UUID, domain string) (bool, error) {
	const query = `SELECT EXISTS (SELECT FROM member_person WHERE organization_id = $1 AND member_id = $2
		AND split_part(email, '@', 2) = $3 AND issuer IS NOT NULL AND removed_at IS NULL)`
	var has bool
	err := v.Tx.QueryRow(ctx, query, v.Organization, memberID, strings.ToLower(domain)).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("compare the domain of member %s: %w", memberID, err)
	}
	return has, nil
}

// OnlyOwner tells whether no other active member is an owner.
func OnlyOwner(ctx context.Context, v readmodel.View, memberID uuid.UUID) (bool, error) {
	const query = `SELECT NOT EXISTS (SELECT FROM member WHERE organization_id = $1 AND valid_to IS NULL
		AND (state ->> 'role') = '1' AND state ->> 'removed_at' IS NULL AND state ->> 'invitation_expires_at' IS NULL AND id <> $2)`
	var only bool
	if err := v.Tx.QueryRow(ctx, query, v.Organization, memberID).Scan(&only); err != nil {
		return false, fmt.Errorf("count owners: %w", err)
	}
	return only, nil
}
