package ingest

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// bootsAtOnce bounds how many boots one look merges.
	bootsAtOnce = 500
	mergesEvery = time.Minute
)

// mergeClaims keeps the table of claims as long as what is young: settled claims
// of old become ranges of their boot, which grow together.
func (in *Ingest) mergeClaims(ctx context.Context) {
	for ctx.Err() == nil {
		if err := in.store.merge(ctx, in.config.MergeAfter); err != nil && ctx.Err() == nil {
			in.metrics.errors.WithLabelValues(partOf(err)).Inc()
			in.config.Log.WarnContext(ctx, "claims are not merged", "error", err)
		}
		pause(ctx, min(mergesEvery, in.config.MergeAfter))
	}
}

// merge takes claims that are older and whose offsets are settled: no replay will
// ask for them. Their hashes are lost here; a repeat is known by its range alone
// then, and usage_range keeps the hashes for ever.
func (s store) merge(ctx context.Context, older time.Duration) error {
	boots, err := s.bootsToMerge(ctx, older)
	if err != nil {
		return err
	}
	for _, b := range boots {
		err := s.db.System(ctx, func(tx pgx.Tx) error {
			const lock = `SELECT FROM ingest_boot WHERE agent_id = $1 AND boot = $2 FOR UPDATE`
			if _, err := tx.Exec(ctx, lock, b.agent, b.boot); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `
				WITH old AS (
					DELETE FROM ingest_claim AS c USING ingest_partition AS p
					WHERE c.agent_id = $1 AND c.boot = $2 AND c.claimed_at < now() - $3::interval
					AND p.topic_id = c.topic_id AND p.partition = c.partition AND p.next_offset > c.kafka_offset
					RETURNING c.first_seq, c.last_seq)
				UPDATE ingest_boot
				SET merged = merged + (SELECT coalesce(range_agg(int8range(first_seq, last_seq, '[]')), '{}') FROM old)
				WHERE agent_id = $1 AND boot = $2`, b.agent, b.boot, older)
			return err
		})
		if err != nil {
			return inPostgres(err, "merge claims of agent %s, boot %s", b.agent, b.boot)
		}
	}
	return nil
}

func (s store) bootsToMerge(ctx context.Context, older time.Duration) (out []bootID, err error) {
	err = s.db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT DISTINCT c.agent_id, c.boot FROM ingest_claim AS c JOIN ingest_partition AS p USING (topic_id, partition)
			WHERE c.claimed_at < now() - $1::interval AND p.next_offset > c.kafka_offset LIMIT $2`, older, bootsAtOnce)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (b bootID, err error) {
			return b, row.Scan(&b.agent, &b.boot)
		})
		return err
	})
	return out, inPostgres(err, "claims to merge")
}
