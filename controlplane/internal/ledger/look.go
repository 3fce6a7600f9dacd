package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

func (t *table) look(ctx context.Context, organization uuid.UUID, fn func(view) error) error {
	return t.db.Snapshot(ctx, organization, func(within pgx.Tx) error {
		return fn(&rows{tx: within, organization: organization, now: t.now})
	})
}

func columns(keys []windowKey) (quotas []uuid.UUID, windows []string) {
	for _, key := range keys {
		quotas, windows = append(quotas, key.quota), append(windows, key.window)
	}
	return quotas, windows
}

// accounts implements view.
func (r *rows) accounts(ctx context.Context, keys []windowKey) (found []*account, err error) {
	const query = `
		SELECT a.quota_id, a.subject, a.window_id, a.amount, a.carried, a.room, a.spent, a.held, a.holders, a.overrun
		FROM unnest($2::uuid[], $3::text[]) AS k (quota_id, window_id)
		JOIN quota_account a ON a.organization_id = $1 AND a.quota_id = k.quota_id AND a.window_id = k.window_id
		ORDER BY a.spent + a.held DESC LIMIT $4`
	quotas, windows := columns(keys)
	read, err := r.tx.Query(ctx, query, r.organization, quotas, windows, statusRows)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	var a account
	into := []any{&a.quota, &a.subject, &a.window, &a.amount, &a.carried, &a.room, &a.spent, &a.held, &a.holders, &a.overrun}
	_, err = pgx.ForEachRow(read, into, func() error {
		one := a
		one.there = true
		found = append(found, &one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	return found, nil
}

// holders implements view.
func (r *rows) holders(ctx context.Context, keys []windowKey) (found []holder, err error) {
	const query = `
		SELECT l.quota_id, l.subject, l.window_id, l.agent_id, l.boot, l.granted, l.spent, l.returned, coalesce(g.heard_at, 'epoch')
		FROM unnest($2::uuid[], $3::text[]) AS k (quota_id, window_id)
		JOIN quota_lease l ON l.organization_id = $1 AND l.quota_id = k.quota_id AND l.window_id = k.window_id
		LEFT JOIN quota_agent g ON g.organization_id = $1 AND g.agent_id = l.agent_id
		ORDER BY greatest(l.granted - l.returned, l.spent) DESC LIMIT $4`
	quotas, windows := columns(keys)
	read, err := r.tx.Query(ctx, query, r.organization, quotas, windows, statusRows)
	if err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	var h holder
	into := []any{&h.quota, &h.subject, &h.window, &h.agent, &h.boot, &h.granted, &h.spent, &h.returned, &h.heard}
	_, err = pgx.ForEachRow(read, into, func() error {
		found = append(found, h)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	return found, nil
}

// shares implements view.
func (r *rows) shares(ctx context.Context, ids []uuid.UUID) (map[series]map[uuid.UUID]*share, time.Time, error) {
	const query = `SELECT quota_id, subject, agent_id, demand, heard_at, amounts, until FROM quota_share
		WHERE organization_id = $1 AND quota_id = ANY($2) ORDER BY heard_at DESC LIMIT $3`
	s := newState()
	batch := &pgx.Batch{}
	batch.Queue(query, r.organization, ids, statusRows).Query(s.scanShares)
	batch.Queue(`SELECT clock_timestamp()`).QueryRow(func(row pgx.Row) error { return row.Scan(&s.now) })
	if err := r.tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, s.now, fmt.Errorf("read shares: %w", err)
	}
	if r.now != nil {
		s.now = r.now()
	}
	return s.shares, s.now, nil
}

// restored implements view.
func (r *rows) restored(ctx context.Context) (found restore, err error) {
	const query = `SELECT restored_epoch, coalesce(restored_at, 'epoch') FROM policy_epoch WHERE organization_id = $1`
	err = r.tx.QueryRow(ctx, query, r.organization).Scan(&found.epoch, &found.at)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return found, fmt.Errorf("read the last restore: %w", err)
	}
	return found, nil
}
