package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Newer releases are counted by the gateway that the agent is enrolled at.
const readStatuses = `
	SELECT s.agent_id, s.last_seen_at, s.version, s.policy_epoch, s.policy_version, s.revocation_version,
	       s.reject_reasons, s.spool_bytes, s.spool_records, s.build, s.platform, s.address, s.policies_rejected,
	       s.last_reject_reasons, s.last_rejected_at, s.spool_oldest_at, behind.releases, behind.since
	FROM agent_status s
	LEFT JOIN agent a ON a.organization_id = s.organization_id AND a.id = s.agent_id AND a.valid_to IS NULL
	CROSS JOIN LATERAL (
		SELECT count(*) AS releases, min(created_at) AS since FROM (
			SELECT r.created_at FROM release r
			WHERE r.organization_id = s.organization_id AND r.gateway_id = a.gateway_id
				AND (r.epoch, r.version) > (s.policy_epoch, s.policy_version)
			ORDER BY r.epoch, r.version LIMIT $3) newer) behind
	WHERE s.organization_id = $1 AND s.agent_id = ANY($2)`

// Statuses returns how these agents of one organization are; those that never
// reported are absent.
func (t *ReportTable) Statuses(ctx context.Context, organization uuid.UUID, agents []uuid.UUID) (map[uuid.UUID]Status, error) {
	statuses := make(map[uuid.UUID]Status, len(agents))
	err := t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, readStatuses, organization, agents, MaxBehind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			id, s, err := scanStatus(rows)
			if err != nil {
				return err
			}
			statuses[id] = s
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read statuses of agents: %w", err)
	}
	return statuses, nil
}

func scanStatus(rows pgx.Rows) (id uuid.UUID, s Status, err error) {
	var rejected, oldest, since *time.Time
	err = rows.Scan(&id, &s.LastSeenAt, &s.Version, &s.PolicyEpoch, &s.PolicyVersion, &s.RevocationVersion,
		&s.RejectReasons, &s.SpoolBytes, &s.SpoolRecords, &s.Build, &s.Platform, &s.Address, &s.PoliciesRejected,
		&s.LastRejectReasons, &rejected, &oldest, &s.ReleasesBehind, &since)
	s.LastRejectedAt, s.SpoolOldestAt, s.BehindSince = timeOrZero(rejected), timeOrZero(oldest), timeOrZero(since)
	return id, s, err
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
