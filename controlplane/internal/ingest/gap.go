package ingest

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// gapsForgotten is when a gap is an alarm no more: completeness tells of it for ever.
const gapsForgotten = 7 * 24 * time.Hour

// gap are numbers of a boot that are missing since an instant.
type gap struct {
	organization, agent uuid.UUID
	boot                string
	since               time.Time
	seqs                seqs
	fresh               bool // not told before
}

// watchGaps tells of what did not arrive. Nothing waits for it, and nothing is dropped
// because of it: what comes late is taken.
func (in *Ingest) watchGaps(ctx context.Context) {
	for ctx.Err() == nil {
		if err := in.tellGaps(ctx); err != nil && ctx.Err() == nil {
			in.metrics.errors.WithLabelValues(partOf(err)).Inc()
			in.config.Log.WarnContext(ctx, "gaps are not looked for", "error", err)
		}
		pause(ctx, in.config.GapsEvery)
	}
}

func (in *Ingest) tellGaps(ctx context.Context) error {
	gaps, err := in.store.gaps(ctx, in.config.GapsAfter)
	if err != nil {
		return err
	}
	boots, missing := map[string]bool{}, int64(0)
	for _, g := range gaps {
		boots[g.boot], missing = true, missing+g.seqs.size()
		if g.fresh {
			in.config.Log.ErrorContext(ctx, "usage is missing: ask its agent, or look where its disk is",
				"organization_id", g.organization, "agent_id", g.agent, "boot", g.boot, "seqs", g.seqs.String(), "records", g.seqs.size(), "since", g.since)
		}
	}
	in.metrics.gaps.WithLabelValues("boots").Set(float64(len(boots)))
	in.metrics.gaps.WithLabelValues("records").Set(float64(missing))
	return nil
}

// size counts numbers.
func (s seqs) size() (n int64) {
	for _, r := range s {
		n += r.last - r.first + 1
	}
	return n
}

// noteGaps compares what each boot gave out with what is settled of it, whichever agents
// shipped it (a boot's name has 64 random bits). What was missing before keeps its time;
// what is settled by now is forgotten; what is new is missing since now.
const noteGaps = `
	WITH given AS (
		SELECT organization_id, boot, max(last_seq) AS last_seq, (array_agg(agent_id ORDER BY last_seq DESC))[1] AS agent_id
		FROM agent_tail GROUP BY organization_id, boot
	), settled AS (
		SELECT organization_id, boot, range_agg(settled) AS seqs, (array_agg(agent_id ORDER BY upper(settled) DESC NULLS LAST))[1] AS agent_id
		FROM ingest_boot GROUP BY organization_id, boot
	), missing AS (
		SELECT organization_id, boot, coalesce(g.agent_id, s.agent_id) AS agent_id,
			int8multirange(int8range(1, greatest(least(coalesce(g.last_seq, 0), 9007199254740992) + 1, upper(s.seqs), 1))) - coalesce(s.seqs, '{}') AS seqs
		FROM given AS g FULL JOIN settled AS s USING (organization_id, boot)
	), known AS (
		SELECT organization_id, boot, range_agg(seqs) AS seqs FROM ingest_gap GROUP BY organization_id, boot
	), gone AS (
		DELETE FROM ingest_gap AS p WHERE NOT EXISTS (
			SELECT FROM missing AS m WHERE m.organization_id = p.organization_id AND m.boot = p.boot AND m.seqs && p.seqs)
	), filled AS (
		UPDATE ingest_gap AS p SET seqs = p.seqs * m.seqs FROM missing AS m
		WHERE m.organization_id = p.organization_id AND m.boot = p.boot AND m.seqs && p.seqs AND NOT p.seqs <@ m.seqs
	)
	INSERT INTO ingest_gap (organization_id, boot, agent_id, since, seqs)
	SELECT m.organization_id, m.boot, m.agent_id, clock_timestamp(), m.seqs - coalesce(k.seqs, '{}')
	FROM missing AS m LEFT JOIN known AS k USING (organization_id, boot)
	WHERE NOT isempty(m.seqs - coalesce(k.seqs, '{}'))`

// gaps notes what is missing now and returns what is so for long. Of several processes one
// at a time looks, and one tells of each gap.
func (s store) gaps(ctx context.Context, after time.Duration) (out []gap, err error) {
	err = s.db.System(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('weir ingest gaps'))`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, noteGaps); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `
			SELECT organization_id, agent_id, boot, since, seqs, NOT told FROM ingest_gap
			WHERE since BETWEEN clock_timestamp() - $2::interval AND clock_timestamp() - $1::interval ORDER BY since`, after, gapsForgotten)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (g gap, err error) {
			var missing multirange
			err = row.Scan(&g.organization, &g.agent, &g.boot, &g.since, &missing, &g.fresh)
			g.seqs = fromMultirange(missing)
			return g, err
		})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE ingest_gap SET told = true WHERE NOT told AND since < clock_timestamp() - $1::interval`, after)
		return err
	})
	return out, inPostgres(err, "look for gaps")
}
