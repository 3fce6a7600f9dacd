package ledger

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

func (s *state) scanAgents(rows pgx.Rows) error {
	var k known
	_, err := pgx.ForEachRow(rows, []any{&k.agent, &k.boot, &k.settled, &k.ended, &k.heard, &k.booted, &k.told, &k.back}, func() error {
		found := k
		found.there = true
		s.agents[k.agent] = &found
		return nil
	})
	return err
}

func columns(keys []accountKey) (quotas []uuid.UUID, subjects, windows []string) {
	quotas, subjects, windows = make([]uuid.UUID, len(keys)), make([]string, len(keys)), make([]string, len(keys))
	for i, key := range keys {
		quotas[i], subjects[i], windows[i] = key.quota, key.subject, key.window
	}
	return quotas, subjects, windows
}

func (r *rows) queueAccounts(batch *pgx.Batch, s *state, keys []accountKey) {
	quotas, subjects, windows := columns(keys)
	batch.Queue(readAccounts, r.organization, quotas, subjects, windows).Query(func(rows pgx.Rows) error {
		var a account
		into := []any{&a.quota, &a.subject, &a.window, &a.amount, &a.carried, &a.room, &a.spent, &a.held, &a.holders, &a.overrun, &a.told, &a.writtenOff}
		_, err := pgx.ForEachRow(rows, into, func() error {
			found := a
			found.there = true
			found.span, _ = parseWindow(a.window)
			s.accounts[a.accountKey] = &found
			return nil
		})
		return err
	})
}

func (r *rows) queueLeases(batch *pgx.Batch, s *state, keys []leaseKey) {
	quotas, subjects, windows := make([]uuid.UUID, len(keys)), make([]string, len(keys)), make([]string, len(keys))
	agents, boots := make([]uuid.UUID, len(keys)), make([]string, len(keys))
	for i, key := range keys {
		quotas[i], subjects[i], windows[i], agents[i], boots[i] = key.quota, key.subject, key.window, key.agent, key.boot
	}
	batch.Queue(readLeases, r.organization, quotas, subjects, windows, agents, boots).Query(func(rows pgx.Rows) error {
		var l lease
		into := []any{&l.quota, &l.subject, &l.window, &l.agent, &l.boot, &l.granted, &l.spent, &l.returned}
		_, err := pgx.ForEachRow(rows, into, func() error {
			found := l
			found.there = true
			s.leases[l.leaseKey] = &found
			return nil
		})
		return err
	})
}

func (r *rows) queueOthers(batch *pgx.Batch, s *state, keys []rollingKey) {
	quotas, subjects, windows := make([]uuid.UUID, len(keys)), make([]string, len(keys)), make([]string, len(keys))
	after, before, lengths := make([]string, len(keys)), make([]string, len(keys)), make([]int64, len(keys))
	for i, key := range keys {
		quotas[i], subjects[i], lengths[i] = key.quota, key.subject, int64(key.length/time.Second)
		windows[i] = key.account().window
		// A window that starts a whole duration away does not count with it: "~" is behind any name.
		after[i] = key.start.Add(-key.duration).Format(time.RFC3339) + "~"
		before[i] = key.start.Add(key.duration).Format(time.RFC3339)
	}
	batch.Queue(readOthers, r.organization, quotas, subjects, windows, after, before, lengths).Query(func(rows pgx.Rows) error {
		var key series
		var sums others
		_, err := pgx.ForEachRow(rows, []any{&key.quota, &key.subject, &sums.spent, &sums.held, &sums.told, &sums.earlier}, func() error {
			s.others[key] = sums
			return nil
		})
		return err
	})
}

func (r *rows) queueShares(batch *pgx.Batch, s *state, w wanted) {
	quotas, subjects := make([]uuid.UUID, len(w.shares)), make([]string, len(w.shares))
	for i, key := range w.shares {
		quotas[i], subjects[i] = key.quota, key.subject
	}
	var now *time.Time // nil: Postgres'
	if r.now != nil {
		at := r.now()
		now = &at
	}
	batch.Queue(readShares, r.organization, quotas, subjects, now, w.agents).Query(s.scanShares)
}

func (s *state) scanShares(rows pgx.Rows) error {
	var key series
	var agent uuid.UUID
	var found share
	var amounts, until []int64
	into := []any{&key.quota, &key.subject, &agent, &found.demand, &found.heard, &amounts, &until}
	_, err := pgx.ForEachRow(rows, into, func() error {
		one := found
		one.there = true
		for i := range min(len(amounts), len(until)) {
			one.parts = append(one.parts, part{amounts[i], time.UnixMilli(until[i])})
		}
		if s.shares[key] == nil {
			s.shares[key] = map[uuid.UUID]*share{}
		}
		s.shares[key][agent] = &one
		return nil
	})
	return err
}
