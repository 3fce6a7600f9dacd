package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

func (t *table) look(ctx context.Context, organization uuid.UUID, fn func(view) error) error {
	return t.db.Snapshot(ctx, organization, func(within pgx.Tx) error {
		return fn(&rows{tx: within, organization: organization, now: t.now})
	})
}

// accounts implements view.
func (r *rows) accounts(ctx context.Context, keys []accountKey) (found []*account, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	s, batch := newState(), &pgx.Batch{}
	r.queueAccounts(batch, s, keys)
	if err := r.tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	return slices.Collect(maps.Values(s.accounts)), nil
}

const readHolders = `
	SELECT l.quota_id, l.subject, l.window_id, l.agent_id, l.boot, l.granted, l.spent, l.returned,
		coalesce(g.boot, ''), coalesce(g.heard_at, 'epoch'), coalesce(g.boot_at, 'epoch')
	FROM unnest($2::uuid[], $3::text[], $4::text[]) AS k (quota_id, subject, window_id)
	CROSS JOIN LATERAL (
		SELECT * FROM quota_lease WHERE organization_id = $1 AND quota_id = k.quota_id AND subject = k.subject AND window_id = k.window_id
			AND holds OFFSET 0) l
	LEFT JOIN quota_agent g ON g.organization_id = $1 AND g.agent_id = l.agent_id
	ORDER BY l.granted - l.spent - l.returned DESC LIMIT $5`

// holders implements view.
func (r *rows) holders(ctx context.Context, keys []accountKey) (found []holder, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	quotas, subjects, windows := columns(keys)
	read, err := r.tx.Query(ctx, readHolders, r.organization, quotas, subjects, windows, statusRows)
	if err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	var h holder
	into := []any{
		&h.quota, &h.subject, &h.window, &h.agent, &h.boot, &h.granted, &h.spent, &h.returned,
		&h.of.boot, &h.of.heard, &h.of.booted,
	}
	_, err = pgx.ForEachRow(read, into, func() error {
		found = append(found, h)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read leases: %w", err)
	}
	return found, nil
}

// subjects implements view.
func (r *rows) subjects(ctx context.Context, asked []subjectsOf, limit int) (found []ranked, err error) {
	const query = `
		SELECT subject, sum(spent)::bigint FROM quota_account
		WHERE organization_id = $1 AND quota_id = $2 AND window_id = ANY($3) AND subject <> ''
		GROUP BY subject HAVING $4 OR sum(spent) < $5 OR sum(spent) = $5 AND subject > $6
		ORDER BY 2 DESC, 1 LIMIT $7`
	batch := &pgx.Batch{}
	for _, of := range asked {
		after := Place{}
		if of.after != nil {
			after = *of.after
		}
		batch.Queue(query, r.organization, of.quota, of.windows, of.after == nil, after.Spent, after.Subject, limit).Query(func(rows pgx.Rows) error {
			one := ranked{series: series{quota: of.quota}}
			_, err := pgx.ForEachRow(rows, []any{&one.subject, &one.spent}, func() error {
				found = append(found, one)
				return nil
			})
			return err
		})
	}
	if err := r.tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read subjects: %w", err)
	}
	return found, nil
}

// past implements view. Windows that have bounds sort before any other by their names.
func (r *rows) past(ctx context.Context, asked []pastOf, limit int) (found []*account, err error) {
	const query = `
		SELECT k.quota_id, k.subject, a.* FROM unnest($2::uuid[], $3::text[], $4::text[]) AS k (quota_id, subject, before)
		CROSS JOIN LATERAL (
			(SELECT window_id, amount, carried, room, spent, held, overrun, written_off FROM quota_account
				WHERE organization_id = $1 AND quota_id = k.quota_id AND subject = k.subject AND window_id < k.before AND ends_at <= $5
				ORDER BY window_id DESC LIMIT $6)
			UNION ALL
			(SELECT window_id, amount, carried, room, spent, held, overrun, written_off FROM quota_history
				WHERE organization_id = $1 AND quota_id = k.quota_id AND k.subject = '' AND window_id < k.before
				ORDER BY window_id DESC LIMIT $6)
			ORDER BY window_id DESC LIMIT $6) a`
	if len(asked) == 0 {
		return nil, nil
	}
	quotas, subjects, before := make([]uuid.UUID, len(asked)), make([]string, len(asked)), make([]string, len(asked))
	now := asked[0].now
	for i, one := range asked {
		quotas[i], subjects[i], before[i] = one.quota, one.subject, one.before
	}
	read, err := r.tx.Query(ctx, query, r.organization, quotas, subjects, before, now, limit)
	if err != nil {
		return nil, fmt.Errorf("read past windows: %w", err)
	}
	var a account
	into := []any{&a.quota, &a.subject, &a.window, &a.amount, &a.carried, &a.room, &a.spent, &a.held, &a.overrun, &a.writtenOff}
	_, err = pgx.ForEachRow(read, into, func() error {
		one := a
		one.span, _ = parseWindow(a.window)
		found = append(found, &one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read past windows: %w", err)
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
