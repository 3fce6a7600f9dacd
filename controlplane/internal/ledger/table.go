package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// table keeps the ledger in Postgres.
type table struct {
	db  *postgres.DB
	now func() time.Time
}

var _ store = (*table)(nil)

func (t *table) transact(ctx context.Context, organization uuid.UUID, fn func(tx) error) error {
	err := t.db.InOrganizationWith(ctx, organization, hold, func(within pgx.Tx) error {
		return fn(&rows{tx: within, organization: organization, now: t.now, locked: true})
	})
	if err != nil {
		return fmt.Errorf("ledger of organization %s: %w", organization, err)
	}
	return nil
}

// rows is a transaction.
type rows struct {
	tx           pgx.Tx
	organization uuid.UUID
	now          func() time.Time
	// locked: the transaction begins with the organization's lock.
	locked bool
	// presumed is what has to be so when the transaction is written; nil: it was read, under
	// the lock.
	presumed *presumption
}

type presumption struct {
	head, epoch int64
	stamp       uuid.UUID
}

// The lock is one per organization, where accounts could have one each: a window's room
// follows from the windows around it, and a boot's end frees what it has anywhere. Two
// processes with calls of one organization wait for each other; calls share transactions.
// A process that hangs loses its lock soon: others wait for it. All is looked up by keys:
// planning that anew for each call, which Postgres would do for arrays, takes longer than
// doing it.
const (
	hold = `pg_advisory_xact_lock(hashtextextended('quota ' || $1::text, 0)), set_config('idle_in_transaction_session_timeout', '5s', true),
		set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
		set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`
	lockLedger = `SELECT ` + hold
	readHead   = `
		SELECT coalesce(h.head, 0), coalesce(e.restored_epoch, 0), coalesce(e.restored_at, 'epoch'), clock_timestamp(), coalesce(l.stamp, $2)
		FROM (SELECT) one LEFT JOIN organization_head h ON h.organization_id = $1 LEFT JOIN policy_epoch e ON e.organization_id = $1
			LEFT JOIN quota_ledger l ON l.organization_id = $1`
	// The log seldom goes on between two calls: only then is it looked into.
	quotasChanged = `SELECT EXISTS (SELECT FROM event WHERE organization_id = $1 AND version > $2 AND (kind LIKE 'Budget%' OR kind LIKE 'Limit%'))`
	readAgents    = `SELECT agent_id, boot, settled_boot, ended_boot, heard_at, coalesce(boot_at, 'epoch'), told_epoch, settled_epoch FROM quota_agent
		WHERE organization_id = $1 AND agent_id = ANY($2)`
	// Each key is looked up apart (OFFSET 0), by the whole of it.
	readAccounts = `
		SELECT a.* FROM unnest($2::uuid[], $3::text[], $4::text[]) AS k (quota_id, subject, window_id) CROSS JOIN LATERAL (
			SELECT quota_id, subject, window_id, amount, carried, room, spent, held, holders, overrun, told_percent, written_off FROM quota_account
			WHERE organization_id = $1 AND quota_id = k.quota_id AND subject = k.subject AND window_id = k.window_id OFFSET 0) a`
	readLeases = `
		SELECT l.* FROM unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[]) AS k (quota_id, subject, window_id, agent_id, boot)
		CROSS JOIN LATERAL (
			SELECT quota_id, subject, window_id, agent_id, boot, granted, spent, returned FROM quota_lease
			WHERE organization_id = $1 AND quota_id = k.quota_id AND subject = k.subject AND window_id = k.window_id
				AND agent_id = k.agent_id AND boot = k.boot OFFSET 0) l`
	// Names of windows have the order of their starts.
	readOthers = `
		SELECT k.quota_id, k.subject, a.spent, a.held, a.told, a.earlier
		FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) AS k (quota_id, subject, window_id, after, before, length)
		CROSS JOIN LATERAL (
			SELECT coalesce(sum(spent), 0)::bigint AS spent, coalesce(sum(held), 0)::bigint AS held, coalesce(max(told_percent), 0) AS told,
				coalesce(sum(spent) FILTER (WHERE window_id < k.window_id), 0)::bigint AS earlier FROM quota_account
			WHERE organization_id = $1 AND quota_id = k.quota_id AND subject = k.subject AND window_id > k.after AND window_id < k.before
				AND window_id <> k.window_id AND ends_at = starts_at + k.length * interval '1 second') a`
	readShares = `
		SELECT s.* FROM unnest($2::uuid[], $3::text[]) AS k (quota_id, subject) CROSS JOIN LATERAL (
			SELECT quota_id, subject, agent_id, demand, heard_at, amounts, until FROM quota_share
			WHERE organization_id = $1 AND quota_id = k.quota_id AND subject = k.subject AND (heard_at > coalesce($4::timestamptz, now()) - interval '1 minute' OR agent_id = ANY($5)) OFFSET 0) s`
)

func (r *rows) read(ctx context.Context, w wanted) (*state, error) {
	if w.trust == presuming {
		if s, ok := w.seen.presumed(w); ok {
			r.presumed = &presumption{s.head, s.restored.epoch, s.stamp}
			return s, nil
		}
	}
	s := newState()
	remembered, rest := wanted{}, w
	if w.trust > doubting {
		remembered, rest = w.seen.split(w)
	}
	batch := &pgx.Batch{}
	if !r.locked {
		batch.Queue(lockLedger, r.organization)
	}
	batch.Queue(readHead, r.organization, uuid.Nil).QueryRow(func(row pgx.Row) error {
		return row.Scan(&s.head, &s.restored.epoch, &s.restored.at, &s.now, &s.stamp)
	})
	r.queueRows(batch, s, rest)
	if len(w.rolling) > 0 {
		r.queueOthers(batch, s, w.rolling)
	}
	if len(w.shares) > 0 {
		r.queueShares(batch, s, w)
	}
	if err := r.tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if s.asSeen = s.stamp != uuid.Nil && s.stamp == w.seen.stamp; s.asSeen {
		w.seen.recall(s, remembered)
	} else if err := r.readRows(ctx, s, remembered); err != nil {
		return nil, err
	}
	if r.now != nil {
		s.now = r.now()
	}
	if s.changed = s.head < w.head; s.head > w.head {
		if err := r.tx.QueryRow(ctx, quotasChanged, r.organization, w.head).Scan(&s.changed); err != nil {
			return nil, fmt.Errorf("read the log: %w", err)
		}
	}
	return s, nil
}

func (r *rows) queueRows(batch *pgx.Batch, s *state, w wanted) {
	if len(w.agents) > 0 {
		batch.Queue(readAgents, r.organization, w.agents).Query(s.scanAgents)
	}
	if len(w.accounts) > 0 {
		r.queueAccounts(batch, s, w.accounts)
	}
	if len(w.leases) > 0 {
		r.queueLeases(batch, s, w.leases)
	}
}

// readRows reads what was remembered and is so no more.
func (r *rows) readRows(ctx context.Context, s *state, w wanted) error {
	batch := &pgx.Batch{}
	r.queueRows(batch, s, w)
	if batch.Len() == 0 {
		return nil
	}
	if err := r.tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("read again: %w", err)
	}
	return nil
}

// add implements tx.
func (r *rows) add(ctx context.Context, s *state, keys []leaseKey) error {
	more := newState()
	batch := &pgx.Batch{}
	accounts := map[accountKey]bool{}
	for _, key := range keys {
		accounts[key.accountKey] = true
	}
	r.queueAccounts(batch, more, collect(accounts))
	r.queueLeases(batch, more, keys)
	if err := r.tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("read more: %w", err)
	}
	for key, a := range more.accounts {
		if was := s.accounts[key]; was == nil {
			s.accounts[key] = a
		}
	}
	for key, l := range more.leases {
		if was := s.leases[key]; was == nil {
			s.leases[key] = l
		}
	}
	return nil
}

func collect[K comparable](set map[K]bool) []K {
	all := make([]K, 0, len(set))
	for key := range set {
		all = append(all, key)
	}
	return all
}

// quotas implements tx.
func (r *rows) quotas(ctx context.Context) (map[uuid.UUID]bound, error) {
	view := readmodel.View{Tx: r.tx, Organization: r.organization}
	found := map[uuid.UUID]bound{}
	budgets, err := readmodel.Budgets.All(ctx, view)
	if err != nil {
		return nil, err
	}
	limits, err := readmodel.Limits.All(ctx, view)
	if err != nil {
		return nil, err
	}
	gather(found, budgets, ofBudget)
	gather(found, limits, ofLimit)
	return found, nil
}

func gather[T budget.Budget | limit.Limit](into map[uuid.UUID]bound, all []T, of func(T) (bound, bool)) {
	for _, one := range all {
		if q, counted := of(one); counted {
			into[q.id] = q
		}
	}
}

// over implements tx.
func (r *rows) over(ctx context.Context, settled, ended []*known) ([]leaseKey, error) {
	const query = `SELECT l.quota_id, l.subject, l.window_id, l.agent_id, l.boot
		FROM unnest($2::uuid[], $3::text[], $4::boolean[]) AS k (agent_id, boot, own)
		JOIN quota_lease l ON l.organization_id = $1 AND l.agent_id = k.agent_id AND l.holds AND (l.boot = k.boot) = k.own`
	var ids []uuid.UUID
	var boots []string
	var own []bool
	for of, agents := range [][]*known{settled, ended} {
		for _, k := range agents {
			ids, boots, own = append(ids, k.agent), append(boots, k.boot), append(own, of == 1)
		}
	}
	return r.leaseKeys(ctx, "find leases of boots that are over", query, r.organization, ids, boots, own)
}

// silentLeases is how many leases of silent agents are freed at once.
const silentLeases = 500

// silent implements tx.
func (r *rows) silent(ctx context.Context, quotas []uuid.UUID, since time.Time) ([]leaseKey, error) {
	const query = `SELECT l.quota_id, l.subject, l.window_id, l.agent_id, l.boot FROM quota_agent a
		JOIN quota_lease l ON l.organization_id = $1 AND l.agent_id = a.agent_id AND l.holds AND l.quota_id = ANY($2)
		WHERE a.organization_id = $1 AND (a.heard_at < $3 OR l.boot <> a.boot AND a.boot_at < $3) LIMIT $4`
	return r.leaseKeys(ctx, "find leases of silent agents", query, r.organization, quotas, since, silentLeases)
}

func (r *rows) leaseKeys(ctx context.Context, doing, query string, args ...any) (keys []leaseKey, err error) {
	if r.presumed != nil { // it would be of another moment
		return nil, errPresumed
	}
	found, err := r.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	var key leaseKey
	_, err = pgx.ForEachRow(found, []any{&key.quota, &key.subject, &key.window, &key.agent, &key.boot}, func() error {
		keys = append(keys, key)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return keys, nil
}

// missing implements tx.
func (r *rows) missing(ctx context.Context, restored restore, limit int) (agents []uuid.UUID, released map[uuid.UUID]bool, err error) {
	if r.presumed != nil {
		return nil, nil, errPresumed
	}
	const late = `SELECT a.id FROM agent a LEFT JOIN quota_agent k ON k.organization_id = $1 AND k.agent_id = a.id
		WHERE a.organization_id = $1 AND a.valid_to IS NULL AND a.revoked_at IS NULL
			AND (a.state ->> 'enrolled_at')::timestamptz < $3 AND coalesce(k.settled_epoch, 0) < $2 LIMIT $4`
	const free = `SELECT quota_id FROM quota_release WHERE organization_id = $1 AND epoch >= $2`
	batch := &pgx.Batch{}
	ids := func(rows pgx.Rows) (found []uuid.UUID, err error) { return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]) }
	batch.Queue(late, r.organization, restored.epoch, restored.at, limit).Query(func(rows pgx.Rows) (err error) {
		agents, err = ids(rows)
		return err
	})
	batch.Queue(free, r.organization, restored.epoch).Query(func(rows pgx.Rows) error {
		found, err := ids(rows)
		released = make(map[uuid.UUID]bool, len(found))
		for _, id := range found {
			released[id] = true
		}
		return err
	})
	if err := r.tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, nil, fmt.Errorf("find agents that have not settled: %w", err)
	}
	return agents, released, nil
}
