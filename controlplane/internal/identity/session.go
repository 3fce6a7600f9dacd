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
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

var _ authn.Sessions = (*Sessions)(nil)

// Sessions keeps console logins.
type Sessions struct{ db *postgres.DB }

// NewSessions returns the sessions in db.
func NewSessions(db *postgres.DB) *Sessions { return &Sessions{db} }

// maxSessions of one member; a further login ends the oldest.
const maxSessions = 100

// Create implements authn.Sessions; it also forgets sessions that have ended.
func (s *Sessions) Create(ctx context.Context, n authn.Session) error {
	const insert = `INSERT INTO session (id, sha256, organization_id, member_id, created_at, last_seen_at, address, user_agent,
		idle_expires_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	const crowd = `DELETE FROM session WHERE id IN (SELECT id FROM session
		WHERE organization_id = $1 AND member_id = $2 ORDER BY created_at DESC OFFSET $3)`
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`DELETE FROM session WHERE least(idle_expires_at, expires_at) < $1`, n.CreatedAt)
		batch.Queue(crowd, n.Principal.OrganizationID, n.Principal.ID, maxSessions-1)
		batch.Queue(insert, n.ID, n.Hash[:], n.Principal.OrganizationID, n.Principal.ID, n.CreatedAt, n.LastSeenAt,
			n.Address, n.UserAgent, n.IdleExpiresAt, n.ExpiresAt)
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	return nil
}

// Find implements authn.Sessions.
func (s *Sessions) Find(ctx context.Context, hash [sha256.Size]byte, now time.Time) (authn.Session, error) {
	const query = `SELECT id, organization_id, member_id, created_at, idle_expires_at, expires_at FROM session
		WHERE sha256 = $1 AND idle_expires_at > $2 AND expires_at > $2`
	found := authn.Session{Hash: hash}
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		var organization, id uuid.UUID
		row := tx.QueryRow(ctx, query, hash[:], now)
		if err := row.Scan(&found.ID, &organization, &id, &found.CreatedAt, &found.IdleExpiresAt, &found.ExpiresAt); err != nil {
			return err
		}
		var err error
		found.Principal, err = principal(ctx, tx, organization, id)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return authn.Session{}, authn.ErrNoSession
	}
	if err != nil {
		return authn.Session{}, fmt.Errorf("find session: %w", err)
	}
	return found, nil
}

// Touch implements authn.Sessions.
func (s *Sessions) Touch(ctx context.Context, hash [sha256.Size]byte, seenAt, idleExpiresAt time.Time) error {
	const update = `UPDATE session SET last_seen_at = $2, idle_expires_at = $3 WHERE sha256 = $1`
	return s.execute(ctx, "prolong session", update, hash[:], seenAt, idleExpiresAt)
}

// Delete implements authn.Sessions.
func (s *Sessions) Delete(ctx context.Context, hash [sha256.Size]byte) error {
	return s.execute(ctx, "end session", `DELETE FROM session WHERE sha256 = $1`, hash[:])
}

// Spend implements authn.Sessions; it also forgets what has expired.
func (s *Sessions) Spend(ctx context.Context, login [sha256.Size]byte, expiresAt time.Time) error {
	const insert = `INSERT INTO spent_login (sha256, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM spent_login WHERE expires_at < now() - interval '1 hour'`); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, insert, login[:], expiresAt)
		if err == nil && done.RowsAffected() == 0 {
			err = authn.ErrSpent
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("spend login: %w", err)
	}
	return nil
}

func (s *Sessions) execute(ctx context.Context, doing, statement string, args ...any) error {
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
