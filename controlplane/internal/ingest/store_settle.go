package ingest

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// settle ends a span: its numbers are safe in ClickHouse or in the dead-letter
// topic, its blocks are done and the partition goes on behind it.
func (s store) settle(ctx context.Context, owner uuid.UUID, at span, j judged) error {
	return inPostgres(s.db.System(ctx, func(tx pgx.Tx) error {
		if err := s.fence(ctx, tx, owner, at.topicID, at.partition); err != nil {
			return err
		}
		var todo pgx.Batch
		boots, settled := j.boots(), j.settledBy()
		for _, b := range boots { // locks them before anything else of theirs is touched
			todo.Queue(`UPDATE ingest_boot SET settled = settled + $3 WHERE agent_id = $1 AND boot = $2`, b.agent, b.boot, settled[b.bootID].multirange())
		}
		noteDead(&todo, j)
		todo.Queue(`DELETE FROM ingest_block WHERE topic_id = $1 AND partition = $2`, at.topicID, at.partition)
		todo.Queue(`UPDATE ingest_partition SET next_offset = $3 WHERE topic_id = $1 AND partition = $2`, at.topicID, at.partition, at.last+1)
		return tx.SendBatch(ctx, &todo).Close()
	}), "settle offsets %d..%d of partition %d", at.first, at.last, at.partition)
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
	return out, inPostgres(err, "known boots")
}

// A closed boot that is settled to its end and was not named by its agent for so
// long is one that the agent has forgotten.
const forgottenAfter = time.Hour

// Settled answers, for heartbeats, which records of these agents (UUIDs) they may
// drop: safe in ClickHouse, or in the dead-letter topic. Merged ranges of every boot
// that the agent may still hold, in order. Agents without any are absent. Of a boot whose
// batches it has from a former agent of its organization it is told that one's, too.
func Settled(ctx context.Context, db *postgres.DB, agents []string) (map[string][]*agentv1.SettledRange, error) {
	out := map[string][]*agentv1.SettledRange{}
	err := db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT agent_id::text, '', boot, lower(r), upper(r) - 1
			FROM ingest_boot AS b, unnest(settled) AS r
			WHERE agent_id = ANY($1::uuid[]) AND NOT EXISTS (
				SELECT FROM agent_tail AS t
				WHERE t.organization_id = b.organization_id AND t.agent_id = b.agent_id AND t.boot = b.boot
				AND t.closed AND t.reported_at < now() - $2::interval AND b.settled @> int8range(1, least(t.last_seq, 9223372036854775806) + 1))
			UNION ALL
			SELECT t.agent_id::text, former.id::text, t.boot, lower(r), upper(r) - 1
			FROM agent_tail AS t CROSS JOIN LATERAL unnest(t.former_agent_ids) AS former (id)
			JOIN ingest_boot AS b ON b.agent_id = former.id AND b.boot = t.boot AND b.organization_id = t.organization_id, unnest(b.settled) AS r
			WHERE t.agent_id = ANY($1::uuid[]) AND t.former_agent_ids <> '{}'
			ORDER BY 1, 3, 2, 4`, agents, forgottenAfter)
		if err != nil {
			return err
		}
		var agent, former, boot string
		var first, last int64
		_, err = pgx.ForEachRow(rows, []any{&agent, &former, &boot, &first, &last}, func() error {
			out[agent] = append(out[agent], &agentv1.SettledRange{Boot: boot, FirstSeq: first, LastSeq: last, AgentId: former})
			return nil
		})
		return err
	})
	return out, inPostgres(err, "settled ranges")
}
