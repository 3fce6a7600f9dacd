package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// running is how long a boot counts as running that said nothing: a few reports.
const running = 15 * time.Second

// A start that comes after another one says that that is closed, if it gave out any number.
// Releases are those of the gateway that the agent is enrolled at, and of the track that
// it is in there.
const readStatuses = `
	SELECT s.agent_id, s.last_seen_at, s.version, s.policy_epoch, s.policy_version, s.revocation_version,
	       s.reject_reasons, s.spool_bytes, s.spool_records, s.build, s.platform, s.address, s.policies_rejected,
	       s.last_reject_reasons, s.last_rejected_at, s.spool_oldest_at,
	       coalesce(s.oldest_epoch, 0), coalesce(s.oldest_version, 0), s.capability, s.ignored_kinds, newest.release,
	       behind.releases, behind.since, s.requests, s.failures, staged.agent, running.boots
	FROM agent_status s
	LEFT JOIN agent a ON a.organization_id = s.organization_id AND a.id = s.agent_id AND a.valid_to IS NULL
	CROSS JOIN LATERAL (
		SELECT EXISTS (SELECT FROM rollout o WHERE o.organization_id = a.organization_id AND o.gateway_id = a.gateway_id
			AND o.valid_to IS NULL AND a.id = ANY(o.candidates)) AS agent) staged
	LEFT JOIN LATERAL (
		SELECT r.release FROM release r
		WHERE r.organization_id = s.organization_id AND r.gateway_id = a.gateway_id
			AND r.track = CASE WHEN staged.agent THEN 'candidate' ELSE 'stable' END
		ORDER BY r.epoch DESC, r.version DESC LIMIT 1) newest ON true
	CROSS JOIN LATERAL (
		SELECT count(*) AS releases, min(created_at) AS since FROM (
			SELECT r.created_at FROM release r
			WHERE r.organization_id = s.organization_id AND r.gateway_id = a.gateway_id
				AND r.track = CASE WHEN staged.agent THEN 'candidate' ELSE 'stable' END
				AND (r.epoch, r.version) > (s.policy_epoch, s.policy_version)
			ORDER BY r.epoch, r.version LIMIT $3) newer) behind
	CROSS JOIN LATERAL (
		SELECT count(*) AS boots FROM agent_tail t
		WHERE t.organization_id = s.organization_id AND t.agent_id = s.agent_id
			AND NOT t.closed AND t.last_seq > 0 AND t.reported_at > now() - $4::interval) running
	WHERE s.organization_id = $1 AND s.agent_id = ANY($2)`

// Statuses returns how these agents of one organization are; those that never
// reported are absent.
func (t *ReportTable) Statuses(ctx context.Context, organization uuid.UUID, agents []uuid.UUID) (map[uuid.UUID]Status, error) {
	statuses := make(map[uuid.UUID]Status, len(agents))
	err := t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, readStatuses, organization, agents, MaxBehind, running)
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
	var newest []byte
	err = rows.Scan(&id, &s.LastSeenAt, &s.Version, &s.PolicyEpoch, &s.PolicyVersion, &s.RevocationVersion,
		&s.RejectReasons, &s.SpoolBytes, &s.SpoolRecords, &s.Build, &s.Platform, &s.Address, &s.PoliciesRejected,
		&s.LastRejectReasons, &rejected, &oldest, &s.OldestEpoch, &s.OldestVersion, &s.Capability, &s.IgnoredKinds, &newest,
		&s.ReleasesBehind, &since, &s.Requests, &s.Failures, &s.Candidate, &s.Boots)
	if err != nil {
		return id, s, err
	}
	s.NeededCapability, err = neededBy(newest)
	s.LastRejectedAt, s.SpoolOldestAt, s.BehindSince = timeOrZero(rejected), timeOrZero(oldest), timeOrZero(since)
	return id, s, err
}

// neededBy is the capability that an agent needs for a release, given as its bytes;
// 0: there is none.
func neededBy(release []byte) (int32, error) {
	header := &policyv1.Release{}
	if err := proto.Unmarshal(release, header); err != nil {
		return 0, fmt.Errorf("decode a stored release: %w", err)
	}
	return header.GetMinimumCapability(), nil
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
