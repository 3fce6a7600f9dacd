package ingest

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

type multirange = pgtype.Multirange[pgtype.Range[int64]]

// columnsOf gives boots to a query as two arrays.
func columnsOf(boots []boot) (agents []uuid.UUID, names []string) {
	for _, b := range boots {
		agents, names = append(agents, b.agent), append(names, b.boot)
	}
	return agents, names
}

func mergedOf(ctx context.Context, tx pgx.Tx, boots []boot) (map[bootID]seqs, error) {
	agents, names := columnsOf(boots)
	rows, err := tx.Query(ctx, `
		SELECT b.agent_id, b.boot, b.merged FROM unnest($1::uuid[], $2::text[]) AS i (agent_id, boot)
		JOIN ingest_boot AS b USING (agent_id, boot) WHERE NOT isempty(b.merged)`, agents, names)
	if err != nil {
		return nil, err
	}
	out := map[bootID]seqs{}
	var id bootID
	var merged multirange
	_, err = pgx.ForEachRow(rows, []any{&id.agent, &id.boot, &merged}, func() error {
		out[id] = fromMultirange(merged)
		return nil
	})
	return out, err
}

func deadOf(ctx context.Context, tx pgx.Tx, boots []boot) (map[content]deadSeqs, error) {
	agents, names := columnsOf(boots)
	rows, err := tx.Query(ctx, `
		SELECT d.agent_id, d.boot, d.payload_sha256, d.seqs, d.seqs <@ b.settled,
		       d.revived_topic_id, coalesce(d.revived_partition, 0), coalesce(d.revived_offset, 0)
		FROM unnest($1::uuid[], $2::text[]) AS i (agent_id, boot)
		JOIN ingest_boot AS b USING (agent_id, boot) JOIN ingest_dead AS d USING (agent_id, boot)`, agents, names)
	if err != nil {
		return nil, err
	}
	out := map[content]deadSeqs{}
	var c content
	var hash []byte
	var ranges multirange
	var kept bool
	var topicID *uuid.UUID
	var by position
	_, err = pgx.ForEachRow(rows, []any{&c.boot.agent, &c.boot.boot, &hash, &ranges, &kept, &topicID, &by.partition, &by.offset}, func() error {
		c.sha256 = [32]byte(hash)
		d := deadSeqs{seqs: fromMultirange(ranges), kept: kept}
		if topicID != nil {
			by.topicID = *topicID
			d.revivedBy = &position{by.topicID, by.partition, by.offset}
		}
		out[c] = d
		return nil
	})
	return out, err
}

// noteDead notes which claimed numbers are no rows, and takes out those that now are.
func noteDead(todo *pgx.Batch, j judged) {
	for _, l := range j.dead {
		if l.signed == nil || !l.signed.claimed {
			continue
		}
		of := l.signed
		todo.Queue(`
			INSERT INTO ingest_dead AS d (organization_id, agent_id, boot, payload_sha256, seqs) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (agent_id, boot, payload_sha256) DO UPDATE SET seqs = d.seqs + excluded.seqs`,
			of.boot.organization, of.boot.agent, of.boot.boot, of.sha256[:], of.seqs.multirange())
	}
	for _, b := range j.taken {
		if !b.revived {
			continue
		}
		todo.Queue(`
			UPDATE ingest_dead SET seqs = seqs - $4::int8multirange, revived_topic_id = NULL, revived_partition = NULL, revived_offset = NULL
			WHERE agent_id = $1 AND boot = $2 AND payload_sha256 = $3`, b.boot.agent, b.boot.boot, b.sha256[:], b.stored().multirange())
		todo.Queue(`DELETE FROM ingest_dead WHERE agent_id = $1 AND boot = $2 AND isempty(seqs)`, b.boot.agent, b.boot.boot)
	}
}

// settledBy are the numbers of each boot that its agent may drop.
func (j judged) settledBy() map[bootID]seqs {
	out := map[bootID]seqs{}
	for _, b := range j.taken {
		out[b.boot.bootID] = append(out[b.boot.bootID], b.stored()...)
	}
	for _, l := range j.dead {
		if l.kept() {
			out[l.signed.boot.bootID] = append(out[l.signed.boot.bootID], l.signed.seqs...)
		}
	}
	return out
}

// boots returns each boot of a slice once, in the order in which everybody locks
// them.
func (j judged) boots() []boot {
	all := slices.Clone(j.taken)
	for _, l := range j.dead {
		if l.signed != nil {
			all = append(all, incoming{boot: l.signed.boot})
		}
	}
	return bootsOf(all)
}
