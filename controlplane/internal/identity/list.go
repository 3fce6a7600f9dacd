package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/filter"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// Known is a member and who it is; both texts are empty for who was erased.
type Known struct {
	member.Member
	Email, Name string
}

// KnownMembers returns a page of MemberFields. removed: who was removed, too.
func KnownMembers(ctx context.Context, v readmodel.View, q readmodel.Query, removed bool) ([]Known, *filter.Place, error) {
	statement := &filter.Postgres{Args: []any{v.Organization, removed}}
	restricted, err := q.Restrict(statement)
	if err != nil {
		return nil, nil, err
	}
	var state string
	var k Known
	return readmodel.CollectPage(ctx, v.Tx, q, readmodel.Selection{
		SQL: fmt.Sprintf(`SELECT %s, m.id, m.state::text, coalesce(p.email, ''), coalesce(p.name, '') FROM member m
			LEFT JOIN member_person p ON p.organization_id = m.organization_id AND p.member_id = m.id
			WHERE m.organization_id = $1 AND m.valid_to IS NULL AND ($2 OR m.state ->> 'removed_at' IS NULL) AND %s`,
			q.Order.Columns(), restricted),
		Args: statement.Args, Into: []any{&state, &k.Email, &k.Name},
	}, func() (Known, error) {
		k.Member = member.Member{}
		return k, json.Unmarshal([]byte(state), &k.Member)
	})
}

// PersonOf returns who a member is; two empty texts: it was erased.
func PersonOf(ctx context.Context, v readmodel.View, memberID uuid.UUID) (email, name string, err error) {
	const query = `SELECT email, name FROM member_person WHERE organization_id = $1 AND member_id = $2`
	err = v.Tx.QueryRow(ctx, query, v.Organization, memberID).Scan(&email, &name)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", "", fmt.Errorf("find person of member %s: %w", memberID, err)
	}
	return email, name, nil
}

// SessionsOf returns at most a page of a member's sessions that live; their hashes and
// principals are left out.
func SessionsOf(ctx context.Context, v readmodel.View, memberID uuid.UUID, q readmodel.Query) ([]authn.Session, error) {
	statement := &filter.Postgres{Args: []any{v.Organization, memberID}}
	restricted, err := q.Restrict(statement)
	if err != nil {
		return nil, err
	}
	var s authn.Session
	found, _, err := readmodel.CollectPage(ctx, v.Tx, q, readmodel.Selection{
		SQL: fmt.Sprintf(`SELECT %s, id, id, created_at, coalesce(last_seen_at, created_at), idle_expires_at, expires_at, address, user_agent
			FROM session WHERE organization_id = $1 AND member_id = $2 AND least(idle_expires_at, expires_at) > now() AND %s`,
			q.Order.Columns(), restricted),
		Args: statement.Args,
		Into: []any{&s.ID, &s.CreatedAt, &s.LastSeenAt, &s.IdleExpiresAt, &s.ExpiresAt, &s.Address, &s.UserAgent},
	}, func() (authn.Session, error) { return s, nil })
	return found, err
}

// HasSession tells whether a session that lives is the member's.
func HasSession(ctx context.Context, v readmodel.View, memberID, id uuid.UUID) (has bool, err error) {
	const query = `SELECT EXISTS (SELECT FROM session
		WHERE organization_id = $1 AND member_id = $2 AND id = $3 AND least(idle_expires_at, expires_at) > now())`
	if err = v.Tx.QueryRow(ctx, query, v.Organization, memberID, id).Scan(&has); err != nil {
		err = fmt.Errorf("look for session %s: %w", id, err)
	}
	return has, err
}

// Ending says which sessions of a member end.
type Ending struct {
	Member uuid.UUID
	// Only this one; uuid.Nil: all.
	Only uuid.UUID
	// Except this one; uuid.Nil: none.
	Except uuid.UUID
}

const endSome = `DELETE FROM session WHERE organization_id = $1 AND member_id = $2 AND ($3 OR id = $4) AND id <> $5`

// EndSessions ends sessions at once, and tells how many there were.
func EndSessions(ctx context.Context, v readmodel.View, e Ending) (int, error) {
	done, err := v.Tx.Exec(ctx, endSome, v.Organization, e.Member, e.Only == uuid.Nil, e.Only, e.Except)
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return int(done.RowsAffected()), nil
}

// EndAllSessionsWith ends the sessions of all members, as a part of a command.
func EndAllSessionsWith(organization uuid.UUID) pglog.Part {
	return func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		batch.Queue(`DELETE FROM session WHERE organization_id = $1`, organization)
		return nil
	}
}

// EndSessionsWith is EndSessions as a part of a command.
func EndSessionsWith(organization uuid.UUID, e Ending) pglog.Part {
	return func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		batch.Queue(endSome, organization, e.Member, e.Only == uuid.Nil, e.Only, e.Except)
		return nil
	}
}
