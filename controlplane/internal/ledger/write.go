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

const (
	saveAccounts = `
		INSERT INTO quota_account (organization_id, quota_id, subject, window_id, starts_at, ends_at, amount, carried, room, spent, held, holders, overrun, told_percent, written_off)
		SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
			$7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::integer[], $15::bigint[])
		ON CONFLICT (organization_id, quota_id, subject, window_id) DO UPDATE SET amount = excluded.amount, carried = excluded.carried,
			room = excluded.room, spent = excluded.spent, held = excluded.held, holders = excluded.holders, overrun = excluded.overrun, told_percent = excluded.told_percent,
			written_off = excluded.written_off`
	saveLeases = `
		INSERT INTO quota_lease (organization_id, quota_id, subject, window_id, agent_id, boot, granted, spent, returned, holds)
		SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::boolean[])
		ON CONFLICT (organization_id, quota_id, subject, window_id, agent_id, boot) DO UPDATE SET
			granted = excluded.granted, spent = excluded.spent, returned = excluded.returned, holds = excluded.holds`
	saveAgents = `
		INSERT INTO quota_agent (organization_id, agent_id, boot, settled_boot, heard_at, boot_at, told_epoch, settled_epoch)
		SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::bigint[], $8::bigint[])
		ON CONFLICT (organization_id, agent_id) DO UPDATE SET boot = excluded.boot, settled_boot = excluded.settled_boot,
			heard_at = excluded.heard_at, boot_at = excluded.boot_at, told_epoch = excluded.told_epoch, settled_epoch = excluded.settled_epoch`
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
	batch := &pgx.Batch{}
	fresh := r.queueSaveAccounts(batch, s)
	forced := r.queueSaveLeases(batch, s)
	forced = r.queueSaveAgents(batch, s) || forced
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

// queueSaveAccounts returns how many are new.
func (r *rows) queueSaveAccounts(batch *pgx.Batch, s *state) (fresh int) {
	var quotas []uuid.UUID
	var subjects, windows []string
	var starts, ends []*time.Time
	var amounts, carried, rooms, spent, held, holders, overruns, writtenOff []int64
	var told []int32
	for _, a := range s.accounts {
		if !a.dirty {
			continue
		}
		fresh += int(count(a.made))
		start, end := bounds(a.span)
		quotas, subjects, windows = append(quotas, a.quota), append(subjects, a.subject), append(windows, a.window)
		starts, ends = append(starts, start), append(ends, end)
		amounts, carried, rooms = append(amounts, a.amount), append(carried, a.carried), append(rooms, a.room)
		spent, held = append(spent, a.spent), append(held, a.held)
		holders, overruns = append(holders, a.holders), append(overruns, a.overrun)
		told, writtenOff = append(told, a.told), append(writtenOff, a.writtenOff)
	}
	if len(quotas) > 0 {
		batch.Queue(saveAccounts, r.organization, quotas, subjects, windows, starts, ends, amounts, carried, rooms, spent, held, holders, overruns, told, writtenOff)
	}
	return fresh
}

func bounds(s quota.Span) (start, end *time.Time) {
	if s == (quota.Span{}) {
		return nil, nil
	}
	return &s.Start, &s.End
}

// queueSaveLeases tells whether any is to be on disk before the answer.
func (r *rows) queueSaveLeases(batch *pgx.Batch, s *state) (forced bool) {
	var quotas, agents []uuid.UUID
	var subjects, windows, boots []string
	var granted, spent, returned []int64
	var holds []bool
	for _, l := range s.leases {
		if !l.dirty {
			continue
		}
		forced = forced || l.forced
		quotas, subjects, windows = append(quotas, l.quota), append(subjects, l.subject), append(windows, l.window)
		agents, boots = append(agents, l.agent), append(boots, l.boot)
		granted, spent, returned = append(granted, l.granted), append(spent, l.spent), append(returned, l.returned)
		holds = append(holds, l.held() > 0)
	}
	if len(quotas) > 0 {
		batch.Queue(saveLeases, r.organization, quotas, subjects, windows, agents, boots, granted, spent, returned, holds)
	}
	return forced
}

func (r *rows) queueSaveAgents(batch *pgx.Batch, s *state) (forced bool) {
	var ids []uuid.UUID
	var boots, settled []string
	var heard, booted []time.Time
	var told, back []int64
	for _, k := range s.agents {
		if !k.dirty {
			continue
		}
		forced = forced || k.forced
		ids, boots, settled = append(ids, k.agent), append(boots, k.boot), append(settled, k.settled)
		heard, booted = append(heard, k.heard), append(booted, k.booted)
		told, back = append(told, k.told), append(back, k.back)
	}
	if len(ids) > 0 {
		batch.Queue(saveAgents, r.organization, ids, boots, settled, heard, booted, told, back)
	}
	return forced
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
