package fleet

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// ReportTable keeps reports in Postgres.
type ReportTable struct{ db *postgres.DB }

var _ Reports = (*ReportTable)(nil)

// NewReportTable returns the reports in db.
func NewReportTable(db *postgres.DB) *ReportTable { return &ReportTable{db: db} }

// What was refused last stays known after the agent took a newer policy.
const saveStatus = `
	INSERT INTO agent_status (organization_id, agent_id, last_seen_at, version, policy_epoch, policy_version,
	                          revocation_version, reject_reasons, spool_bytes, spool_records, build, platform, address,
	                          policies_rejected, spool_oldest_at, last_reject_reasons, last_rejected_at,
	                          oldest_epoch, oldest_version, capability, ignored_kinds, credentials, requests, failures, targets)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text[], $9, $10, $11, $12, $13, $14, $15, $8, CASE WHEN $8 = '{}'::text[] THEN NULL ELSE $3::timestamptz END,
	        nullif($16::bigint, 0), nullif($17::bigint, 0), $18, coalesce($19::text[], '{}'), coalesce($20::jsonb, '{}'), $21, $22, coalesce($23::jsonb, '{}'))
	ON CONFLICT (organization_id, agent_id) DO UPDATE SET
		last_seen_at = excluded.last_seen_at, version = excluded.version, policy_epoch = excluded.policy_epoch,
		policy_version = excluded.policy_version, revocation_version = excluded.revocation_version,
		reject_reasons = excluded.reject_reasons, spool_bytes = excluded.spool_bytes, spool_records = excluded.spool_records,
		build = excluded.build, platform = excluded.platform, address = excluded.address,
		policies_rejected = excluded.policies_rejected, spool_oldest_at = excluded.spool_oldest_at,
		oldest_epoch = excluded.oldest_epoch, oldest_version = excluded.oldest_version,
		capability = excluded.capability, ignored_kinds = excluded.ignored_kinds,
		requests = excluded.requests, failures = excluded.failures,
		last_reject_reasons = CASE WHEN excluded.last_rejected_at IS NULL
			THEN agent_status.last_reject_reasons ELSE excluded.last_reject_reasons END,
		last_rejected_at = coalesce(excluded.last_rejected_at, agent_status.last_rejected_at),
		credentials = coalesce($20::jsonb, agent_status.credentials), targets = coalesce($23::jsonb, agent_status.targets)
	WHERE agent_status.last_seen_at <= excluded.last_seen_at`

// By the clock of Postgres: who copies tails asks for what is new.
const saveTail = `
	INSERT INTO agent_tail (organization_id, agent_id, boot, last_seq, closed, former_agent_ids, reported_at)
	VALUES ($1, $2, $3, $4, $5, coalesce($6::uuid[], '{}'), now())
	ON CONFLICT (organization_id, agent_id, boot) DO UPDATE SET
		last_seq = GREATEST(agent_tail.last_seq, excluded.last_seq),
		closed = agent_tail.closed OR excluded.closed,
		former_agent_ids = excluded.former_agent_ids,
		reported_at = GREATEST(agent_tail.reported_at, excluded.reported_at)`

// Save implements Reports, all in one pipelined transaction. Rows are locked in
// the order of agents and boots, so that two processes don't block each other.
func (t *ReportTable) Save(ctx context.Context, reports []Report) error {
	slices.SortFunc(reports, func(a, b Report) int { return bytes.Compare(a.AgentID[:], b.AgentID[:]) })
	batch := &pgx.Batch{}
	for _, r := range reports {
		s := r.Status
		batch.Queue(saveStatus, r.OrganizationID, r.AgentID, s.LastSeenAt, s.Version, s.PolicyEpoch, s.PolicyVersion,
			s.RevocationVersion, s.RejectReasons, s.SpoolBytes, s.SpoolRecords, s.Build, s.Platform, s.Address,
			s.PoliciesRejected, timeOrNull(s.SpoolOldestAt), s.OldestEpoch, s.OldestVersion, s.Capability, s.IgnoredKinds, s.Credentials,
			s.Requests, s.Failures, s.Targets)
		saveReceipts(batch, r)
		for _, boot := range slices.Sorted(maps.Keys(r.Tails)) {
			tail := r.Tails[boot]
			batch.Queue(saveTail, r.OrganizationID, r.AgentID, boot, tail.LastSeq, tail.Closed, tail.Former)
		}
	}
	err := t.db.System(ctx, func(tx pgx.Tx) error { return tx.SendBatch(ctx, batch).Close() })
	if err != nil {
		return fmt.Errorf("store reports of %d agents: %w", len(reports), err)
	}
	return nil
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
