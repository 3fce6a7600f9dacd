package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/quota"
)

var (
	saveAccounts = upsert{
		`INSERT INTO quota_account (organization_id, quota_id, subject, window_id, starts_at, ends_at, amount, carried, room, spent, held, holders, overrun, told_percent, written_off)`,
		[]string{
			"uuid", "text", "text", "timestamptz", "timestamptz",
			"bigint", "bigint", "bigint", "bigint", "bigint", "bigint", "bigint", "integer", "bigint",
		},
		`ON CONFLICT (organization_id, quota_id, subject, window_id) DO UPDATE SET amount = excluded.amount, carried = excluded.carried,
			room = excluded.room, spent = excluded.spent, held = excluded.held, holders = excluded.holders, overrun = excluded.overrun,
			told_percent = excluded.told_percent, written_off = excluded.written_off`,
	}
	saveLeases = upsert{
		`INSERT INTO quota_lease (organization_id, quota_id, subject, window_id, agent_id, boot, granted, spent, returned, holds)`,
		[]string{"uuid", "text", "text", "uuid", "text", "bigint", "bigint", "bigint", "boolean"},
		`ON CONFLICT (organization_id, quota_id, subject, window_id, agent_id, boot) DO UPDATE SET
			granted = excluded.granted, spent = excluded.spent, returned = excluded.returned, holds = excluded.holds`,
	}
	saveAgents = upsert{
		`INSERT INTO quota_agent (organization_id, agent_id, boot, settled_boot, ended_boot, heard_at, boot_at, told_epoch, settled_epoch)`,
		[]string{"uuid", "text", "text", "text", "timestamptz", "timestamptz", "bigint", "bigint"},
		`ON CONFLICT (organization_id, agent_id) DO UPDATE SET boot = excluded.boot, settled_boot = excluded.settled_boot, ended_boot = excluded.ended_boot,
			heard_at = excluded.heard_at, boot_at = excluded.boot_at, told_epoch = excluded.told_epoch, settled_epoch = excluded.settled_epoch`,
	}
)

const (
	saveShare = `
		INSERT INTO quota_share (organization_id, quota_id, subject, agent_id, demand, heard_at, keep_until, amounts, until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (organization_id, quota_id, subject, agent_id) DO UPDATE SET
			demand = excluded.demand, heard_at = excluded.heard_at, keep_until = excluded.keep_until, amounts = excluded.amounts, until = excluded.until`
	// Whoever makes rows clears away twice as many that are over. How they ended is kept for a
	// while where a quota counts all together.
	forgetAccounts = `
		WITH old AS (SELECT quota_id, subject, window_id FROM quota_account
			WHERE organization_id = $1 AND ends_at < $2::timestamptz - $3::interval AND ends_at + 2 * (ends_at - starts_at) < $2::timestamptz - $3::interval
			ORDER BY ends_at LIMIT $4),
		leases AS (DELETE FROM quota_lease l USING old
			WHERE l.organization_id = $1 AND l.quota_id = old.quota_id AND l.subject = old.subject AND l.window_id = old.window_id),
		gone AS (DELETE FROM quota_account a USING old
			WHERE a.organization_id = $1 AND a.quota_id = old.quota_id AND a.subject = old.subject AND a.window_id = old.window_id
			RETURNING a.quota_id, a.subject, a.window_id, a.starts_at, a.ends_at, a.amount, a.carried, a.room, a.spent, a.held, a.overrun, a.written_off),
		aged AS (DELETE FROM quota_history h USING gone
			WHERE h.organization_id = $1 AND h.quota_id = gone.quota_id AND h.ends_at + $5::double precision * (h.ends_at - h.starts_at) < $2::timestamptz - $3::interval)
		INSERT INTO quota_history (organization_id, quota_id, window_id, starts_at, ends_at, amount, carried, room, spent, held, overrun, written_off)
		SELECT $1, quota_id, window_id, starts_at, ends_at, amount, carried, room, spent, held, overrun, written_off FROM gone WHERE subject = ''
		ON CONFLICT (organization_id, quota_id, window_id) DO NOTHING`
	forgetShares = `
		DELETE FROM quota_share WHERE organization_id = $1 AND keep_until < $2 AND ctid = ANY(ARRAY(
			SELECT ctid FROM quota_share WHERE organization_id = $1 AND keep_until < $2 AND keep_until > '2000-01-01' LIMIT $3))`
	// A settlement that gets lost is told again: only what agents rely on waits for the disk.
	notForced = `SELECT set_config('synchronous_commit', 'off', true)`
)

// write implements tx.
func (r *rows) write(ctx context.Context, s *state, now time.Time) error {
	if r.presumed != nil {
		return r.writePresumed(ctx, s)
	}
	batch := &pgx.Batch{}
	fresh, forced := r.queueSave(batch, s)
	raised, err := r.queueRaise(batch, s, now)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	freshShares := r.queueSaveShares(batch, s)
	if batch.Len() == 0 {
		return nil
	}
	if fresh > 0 {
		batch.Queue(forgetAccounts, r.organization, now, keepFor, 2*fresh, historyWindows)
		s.stamp = uuid.Nil // some of those may be remembered
	}
	if freshShares > 0 {
		batch.Queue(forgetShares, r.organization, s.now, 2*freshShares)
	}
	if !forced && !raised {
		batch.Queue(notForced)
	}
	if err := postgres.Finish(ctx, r.tx, batch); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// writePresumed looks whether all is as it was presumed, writes and commits, all in the round
// trip that takes the lock. It has no statement for new accounts nor alerts, which are rare; there
// are no more rows than those that were wanted.
func (r *rows) writePresumed(ctx context.Context, s *state) error {
	all, fresh, forced := s.dirty()
	if fresh > 0 || len(s.raised) > 0 {
		return errPresumed
	}
	batch, held := &pgx.Batch{}, false
	if all.which() == 0 {
		batch.Queue(asPresumed, r.organization, r.presumed.head, r.presumed.epoch, r.presumed.stamp).QueryRow(func(row pgx.Row) error {
			return row.Scan(&held)
		})
	} else {
		s.stamp = uuid.New()
		all.queueIf(batch, r.organization, s.stamp, *r.presumed, &held)
	}
	if !forced {
		batch.Queue(notForced)
	}
	if err := postgres.Finish(ctx, r.tx, batch); err != nil {
		return fmt.Errorf("write what is remembered: %w", err)
	}
	if !held {
		return errPresumed
	}
	return nil
}

// queueSave writes all dirty rows but shares. fresh is how many accounts are new; forced:
// it must be on disk before the answer.
func (r *rows) queueSave(batch *pgx.Batch, s *state) (fresh int, forced bool) {
	all, fresh, forced := s.dirty()
	if all.which() != 0 {
		s.stamp = uuid.New()
		all.queue(batch, r.organization, s.stamp)
	}
	return fresh, forced
}

func (s *state) dirty() (all savedRows, fresh int, forced bool) {
	var byAgents bool
	all[0], fresh = dirtyAccounts(s)
	all[1], forced = dirtyLeases(s)
	all[2], byAgents = dirtyAgents(s)
	return all, fresh, forced || byAgents
}

func dirtyAccounts(s *state) (rows [][]any, fresh int) {
	for _, a := range s.accounts {
		if !a.dirty {
			continue
		}
		fresh += int(count(a.made))
		start, end := bounds(a.span)
		rows = append(rows, []any{
			a.quota, a.subject, a.window, start, end, a.amount, a.carried, a.room, a.spent, a.held, a.holders, a.overrun, a.told, a.writtenOff,
		})
	}
	return rows, fresh
}

func bounds(s quota.Span) (start, end *time.Time) {
	if s == (quota.Span{}) {
		return nil, nil
	}
	return &s.Start, &s.End
}

func dirtyLeases(s *state) (rows [][]any, forced bool) {
	for _, l := range s.leases {
		if l.dirty {
			forced = forced || l.forced
			rows = append(rows, []any{l.quota, l.subject, l.window, l.agent, l.boot, l.granted, l.spent, l.returned, l.held() > 0})
		}
	}
	return rows, forced
}

func dirtyAgents(s *state) (rows [][]any, forced bool) {
	for _, k := range s.agents {
		if k.dirty {
			forced = forced || k.forced
			rows = append(rows, []any{k.agent, k.boot, k.settled, k.ended, k.heard, k.booted, k.told, k.back})
		}
	}
	return rows, forced
}

// queueSaveShares returns how many are new.
func (r *rows) queueSaveShares(batch *pgx.Batch, s *state) (fresh int) {
	for key, all := range s.shares {
		for agent, one := range all {
			if !one.dirty {
				continue
			}
			amounts, until := make([]int64, len(one.parts)), make([]int64, len(one.parts))
			for i, p := range one.parts {
				amounts[i], until[i] = p.amount, p.until.UnixMilli()
			}
			fresh += int(count(one.made))
			batch.Queue(saveShare, r.organization, key.quota, key.subject, agent, one.demand, one.heard,
				one.heard.Truncate(shareKept).Add(2*shareKept), amounts, until)
		}
	}
	return fresh
}
