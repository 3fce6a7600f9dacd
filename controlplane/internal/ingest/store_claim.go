package ingest

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/proto/contract/batch"
)

// slice is what one span holds and how it is to be claimed.
type slice struct {
	at         span
	batches    []incoming
	judgedAt   time.Time
	leaseUntil time.Time
	refused    refusals
	replay     bool
}

// claim judges the batches of a span and, in the same transaction, claims the
// fresh ones and notes the blocks that will hold them. A replay claims nothing and
// notes nothing.
func (s store) claim(ctx context.Context, owner uuid.UUID, in slice) (out judged, blocks []block, err error) {
	at, boots := in.at, bootsOf(in.batches)
	err = s.db.System(ctx, func(tx pgx.Tx) error {
		if err := s.fence(ctx, tx, owner, at.topicID, at.partition); err != nil {
			return err
		}
		if err := lockBoots(ctx, tx, boots); err != nil {
			return err
		}
		known, err := knownAround(ctx, tx, boots, in.batches)
		if err != nil {
			return err
		}
		where := func(offset int64) position { return position{at.topicID, at.partition, offset} }
		j := judgement{known: known, at: where, replay: in.replay}
		out = j.all(in.batches).without(in.refused)
		blocks = blocksOf(at, out.taken, in.refused)
		for i := range blocks {
			blocks[i].noted.leaseUntil, blocks[i].noted.judgedAt = in.leaseUntil, in.judgedAt
		}
		if in.replay {
			return nil
		}
		return noteAll(ctx, tx, at, out, blocks)
	})
	return out, blocks, inPostgres(err, "claim offsets %d..%d of partition %d", at.first, at.last, at.partition)
}

// bootsOf returns each boot once, in the order in which everybody locks them.
func bootsOf(batches []incoming) []boot {
	each := map[bootID]boot{}
	for _, b := range batches {
		each[b.boot.bootID] = b.boot
	}
	return slices.SortedFunc(maps.Values(each), func(a, b boot) int {
		return cmp.Or(bytes.Compare(a.agent[:], b.agent[:]), cmp.Compare(a.boot, b.boot))
	})
}

func lockBoots(ctx context.Context, tx pgx.Tx, boots []boot) error {
	var todo pgx.Batch
	for _, b := range boots {
		todo.Queue(`
			INSERT INTO ingest_boot (organization_id, gateway_id, agent_id, boot, public_key)
			VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, b.organization, b.gateway, b.agent, b.boot, b.publicKey)
		todo.Queue(`SELECT FROM ingest_boot WHERE agent_id = $1 AND boot = $2 FOR UPDATE`, b.agent, b.boot)
	}
	return tx.SendBatch(ctx, &todo).Close()
}

func knownAround(ctx context.Context, tx pgx.Tx, boots []boot, batches []incoming) (known, error) {
	claims, err := claimsAround(ctx, tx, batches)
	if err != nil {
		return known{}, err
	}
	merged, err := mergedOf(ctx, tx, boots)
	if err != nil {
		return known{}, err
	}
	dead, err := deadOf(ctx, tx, boots)
	if err != nil {
		return known{}, err
	}
	accepted, err := acceptedOf(ctx, tx, boots)
	return known{claims: claims, merged: merged, dead: dead, accepted: accepted}, err
}

// claimsAround returns every claim that could overlap one of the batches: none is
// longer than a batch may be.
func claimsAround(ctx context.Context, tx pgx.Tx, batches []incoming) (claims, error) {
	var agents []uuid.UUID
	var boots []string
	var firsts, lasts []int64
	for _, b := range batches {
		agents, boots = append(agents, b.boot.agent), append(boots, b.boot.boot)
		firsts, lasts = append(firsts, b.first-batch.MaxRecords), append(lasts, b.last)
	}
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT c.agent_id, c.boot, c.first_seq, c.last_seq, c.payload_sha256, c.topic_id, c.partition, c.kafka_offset
		FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) AS i (agent_id, boot, low, high)
		JOIN ingest_claim AS c ON c.agent_id = i.agent_id AND c.boot = i.boot AND c.first_seq BETWEEN i.low AND i.high`,
		agents, boots, firsts, lasts)
	if err != nil {
		return nil, err
	}
	out := claims{}
	var c claim
	var hash []byte
	var topicID uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&c.boot.agent, &c.boot.boot, &c.first, &c.last, &hash, &topicID, &c.at.partition, &c.at.offset}, func() error {
		c.sha256, c.at.topicID = [32]byte(hash), topicID
		out.add(c)
		return nil
	})
	return out, err
}

// noteAll goes in one round trip: row-level security leaves no COPY.
func noteAll(ctx context.Context, tx pgx.Tx, at span, out judged, blocks []block) error {
	organizations := map[bootID]uuid.UUID{}
	for _, b := range out.taken {
		organizations[b.boot.bootID] = b.boot.organization
	}
	var todo pgx.Batch
	for _, c := range out.fresh {
		todo.Queue(`
			INSERT INTO ingest_claim (organization_id, agent_id, boot, first_seq, last_seq, payload_sha256, topic_id, partition, kafka_offset)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			organizations[c.boot], c.boot.agent, c.boot.boot, c.first, c.last, c.sha256[:], at.topicID, at.partition, c.at.offset)
	}
	for _, c := range out.revived {
		todo.Queue(`
			UPDATE ingest_dead SET revived_topic_id = $4, revived_partition = $5, revived_offset = $6
			WHERE agent_id = $1 AND boot = $2 AND payload_sha256 = $3`,
			c.boot.agent, c.boot.boot, c.sha256[:], at.topicID, at.partition, c.at.offset)
	}
	for _, b := range blocks {
		todo.Queue(`
			INSERT INTO ingest_block (topic_id, partition, first_offset, last_offset, month, rows, token, lease_until, judged_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			at.topicID, at.partition, at.first, at.last, b.noted.month, b.noted.rows, b.noted.token, b.noted.leaseUntil, b.noted.judgedAt)
	}
	return tx.SendBatch(ctx, &todo).Close()
}
