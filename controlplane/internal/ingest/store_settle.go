package ingest

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// settle ends a span: its ranges are safe in ClickHouse, its blocks are done and
// the partition goes on behind it.
func (s store) settle(ctx context.Context, owner uuid.UUID, at span, taken []incoming) error {
	return wrap(s.db.System(ctx, func(tx pgx.Tx) error {
		if err := s.fence(ctx, tx, owner, at.topicID, at.partition); err != nil {
			return err
		}
		if err := settleBoots(ctx, tx, taken); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM ingest_block WHERE topic_id = $1 AND partition = $2`, at.topicID, at.partition); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE ingest_partition SET next_offset = $3 WHERE topic_id = $1 AND partition = $2`,
			at.topicID, at.partition, at.last+1)
		return err
	}), "settle offsets %d..%d of partition %d", at.first, at.last, at.partition)
}

func settleBoots(ctx context.Context, tx pgx.Tx, taken []incoming) error {
	ranges := map[bootID]pgtype.Multirange[pgtype.Range[int64]]{}
	for _, b := range taken {
		ranges[b.boot.bootID] = append(ranges[b.boot.bootID], pgtype.Range[int64]{
			Lower: b.first, LowerType: pgtype.Inclusive, Upper: b.last, UpperType: pgtype.Inclusive, Valid: true,
		})
	}
	var todo pgx.Batch
	for _, b := range bootsOf(taken) {
		todo.Queue(`UPDATE ingest_boot SET settled = settled + $3 WHERE agent_id = $1 AND boot = $2`, b.agent, b.boot, ranges[b.bootID])
	}
	return tx.SendBatch(ctx, &todo).Close()
}

// boots returns what is known of boots from their first claims.
func (s store) boots(ctx context.Context, agents []uuid.UUID) (map[bootID]boot, error) {
	out := map[bootID]boot{}
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT organization_id, gateway_id, agent_id, boot, public_key FROM ingest_boot WHERE agent_id = ANY($1)`, agents)
		if err != nil {
			return err
		}
		var b boot
		_, err = pgx.ForEachRow(rows, []any{&b.organization, &b.gateway, &b.agent, &b.boot, &b.publicKey}, func() error {
			out[b.bootID] = b
			b.publicKey = nil
			return nil
		})
		return err
	})
	return out, wrap(err, "known boots")
}

// Settled answers, for heartbeats, which records of these agents (UUIDs) are safe
// in ClickHouse: merged ranges of every boot, in order. Agents without any are
// absent.
func Settled(ctx context.Context, db *postgres.DB, agents []string) (map[string][]*agentv1.SettledRange, error) {
	out := map[string][]*agentv1.SettledRange{}
	err := db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT agent_id::text, boot, lower(r), upper(r) - 1
			FROM ingest_boot, unnest(settled) AS r
			WHERE agent_id = ANY($1::uuid[])
			ORDER BY agent_id, boot, lower(r)`, agents)
		if err != nil {
			return err
		}
		var agent, boot string
		var first, last int64
		_, err = pgx.ForEachRow(rows, []any{&agent, &boot, &first, &last}, func() error {
			out[agent] = append(out[agent], &agentv1.SettledRange{Boot: boot, FirstSeq: first, LastSeq: last})
			return nil
		})
		return err
	})
	return out, wrap(err, "settled ranges")
}
