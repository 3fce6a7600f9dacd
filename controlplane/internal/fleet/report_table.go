package fleet

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// ReportTable keeps reports in Postgres.
type ReportTable struct{ db *postgres.DB }

var _ Reports = (*ReportTable)(nil)

// NewReportTable returns the reports in db.
func NewReportTable(db *postgres.DB) *ReportTable { return &ReportTable{db: db} }

const saveStatus = `
	INSERT INTO agent_status (organization_id, agent_id, last_seen_at, version, policy_epoch, policy_version,
	                          revocation_version, reject_reasons, spool_bytes, spool_records)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
	ON CONFLICT (organization_id, agent_id) DO UPDATE SET
		last_seen_at = excluded.last_seen_at, version = excluded.version, policy_epoch = excluded.policy_epoch,
		policy_version = excluded.policy_version, revocation_version = excluded.revocation_version,
		reject_reasons = excluded.reject_reasons, spool_bytes = excluded.spool_bytes, spool_records = excluded.spool_records
	WHERE agent_status.last_seen_at <= excluded.last_seen_at`

// By the clock of Postgres: who copies tails asks for what is new.
const saveTail = `
	INSERT INTO agent_tail (organization_id, agent_id, boot, last_seq, closed, reported_at)
	VALUES ($1, $2, $3, $4, $5, now())
	ON CONFLICT (organization_id, agent_id, boot) DO UPDATE SET
		last_seq = GREATEST(agent_tail.last_seq, excluded.last_seq),
		closed = agent_tail.closed OR excluded.closed,
		reported_at = GREATEST(agent_tail.reported_at, excluded.reported_at)`

// Save implements Reports, all in one pipelined transaction. Rows are locked in
// the order of agents and boots, so that two processes don't block each other.
func (t *ReportTable) Save(ctx context.Context, reports []Report) error {
	slices.SortFunc(reports, func(a, b Report) int { return bytes.Compare(a.AgentID[:], b.AgentID[:]) })
	batch := &pgx.Batch{}
	for _, r := range reports {
		s := r.Status
		batch.Queue(saveStatus, r.OrganizationID, r.AgentID, s.LastSeenAt, s.Version, s.PolicyEpoch, s.PolicyVersion,
			s.RevocationVersion, s.RejectReasons, s.SpoolBytes, s.SpoolRecords)
		for _, boot := range slices.Sorted(maps.Keys(r.Tails)) {
			tail := r.Tails[boot]
			batch.Queue(saveTail, r.OrganizationID, r.AgentID, boot, tail.LastSeq, tail.Closed)
		}
	}
	err := t.db.System(ctx, func(tx pgx.Tx) error { return tx.SendBatch(ctx, batch).Close() })
	if err != nil {
		return fmt.Errorf("store reports of %d agents: %w", len(reports), err)
	}
	return nil
}

// Statuses returns how these agents of one organization are; those that never
// reported are absent.
func (t *ReportTable) Statuses(ctx context.Context, organization uuid.UUID, agents []uuid.UUID) (map[uuid.UUID]Status, error) {
	const query = `
		SELECT agent_id, last_seen_at, version, policy_epoch, policy_version, revocation_version,
		       reject_reasons, spool_bytes, spool_records
		FROM agent_status WHERE organization_id = $1 AND agent_id = ANY($2)`
	statuses := make(map[uuid.UUID]Status, len(agents))
	err := t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, organization, agents)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var s Status
		into := []any{&id, &s.LastSeenAt, &s.Version, &s.PolicyEpoch, &s.PolicyVersion, &s.RevocationVersion,
			&s.RejectReasons, &s.SpoolBytes, &s.SpoolRecords}
		_, err = pgx.ForEachRow(rows, into, func() error {
			statuses[id] = s
			s.RejectReasons = nil
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read statuses of agents: %w", err)
	}
	return statuses, nil
}
