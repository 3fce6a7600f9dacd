package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
)

// touchAfter bounds how often a session's use is written down.
const touchAfter = time.Minute

// Session is a console login on its way into the store.
type Session struct {
	// SHA256 of the cookie's text.
	SHA256         [sha256.Size]byte
	OrganizationID uuid.UUID
	MemberID       uuid.UUID
	// Idle is how long it lives unused, Life how long at all.
	Idle, Life time.Duration
}

// CreateSession keeps a session and forgets those that have ended.
func (s *Store) CreateSession(ctx context.Context, n Session) error {
	const insert = `INSERT INTO session (sha256, organization_id, member_id, created_at, idle_expires_at, expires_at)
		VALUES ($1, $2, $3, now(), now() + $4, now() + $5)`
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM session WHERE expires_at < now()`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insert, n.SHA256[:], n.OrganizationID, n.MemberID, n.Idle, n.Life)
		return err
	})
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	return nil
}

// FindSession returns the member of a living session, as the member is now, and
// lets it live unused for idle again. Others are Unauthenticated faults.
func (s *Store) FindSession(ctx context.Context, hash [sha256.Size]byte, idle time.Duration) (authn.Principal, error) {
	const query = `SELECT organization_id, member_id, now() + $2 - idle_expires_at > $3 FROM session
		WHERE sha256 = $1 AND idle_expires_at > now() AND expires_at > now()`
	const touch = `UPDATE session SET idle_expires_at = now() + $2 WHERE sha256 = $1`
	var found authn.Principal
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		var organization, id uuid.UUID
		var stale bool
		if err := tx.QueryRow(ctx, query, hash[:], idle, touchAfter).Scan(&organization, &id, &stale); err != nil {
			return err
		}
		if stale {
			if _, err := tx.Exec(ctx, touch, hash[:], idle); err != nil {
				return err
			}
		}
		var err error
		found, err = principal(ctx, tx, organization, id)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return authn.Principal{}, fault.Because(fault.Unauthenticated, "session_ended", "the session has ended; log in again")
	}
	if err != nil {
		return authn.Principal{}, fmt.Errorf("find session: %w", err)
	}
	return found, nil
}

// EndSession forgets a session; one that has ended is no fault.
func (s *Store) EndSession(ctx context.Context, hash [sha256.Size]byte) error {
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM session WHERE sha256 = $1`, hash[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}
