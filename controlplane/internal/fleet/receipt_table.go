package fleet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// maxReceipts are kept of each agent. Where one was dropped, the next later one
// says that its revocations were in force at the latest.
const maxReceipts = 1000

// Versions of another epoch may be of a log that was lost.
const saveReceipt = `
	INSERT INTO revocation_receipt (organization_id, agent_id, version, applied_at)
	SELECT $1, $2, $3, $4 FROM policy_epoch WHERE organization_id = $1 AND epoch = $5
	ON CONFLICT DO NOTHING`

const pruneReceipts = `
	DELETE FROM revocation_receipt WHERE organization_id = $1 AND agent_id = $2 AND version <= (
		SELECT version FROM revocation_receipt WHERE organization_id = $1 AND agent_id = $2
		ORDER BY version DESC OFFSET $3 LIMIT 1)`

func saveReceipts(batch *pgx.Batch, r Report) {
	for _, version := range slices.Sorted(maps.Keys(r.Receipts)) {
		receipt := r.Receipts[version]
		batch.Queue(saveReceipt, r.OrganizationID, r.AgentID, version, receipt.AppliedAt, receipt.Epoch)
	}
	if len(r.Receipts) > 0 {
		batch.Queue(pruneReceipts, r.OrganizationID, r.AgentID, maxReceipts)
	}
}

// Reached is how far a revocation came at one agent.
type Reached struct {
	AgentID, GatewayID uuid.UUID
	Name               string
	// AppliedAt is since when it is in force there, at the latest; zero: it is not, as
	// far as is known.
	AppliedAt time.Time
	// LastSeenAt is zero where the agent never reported.
	LastSeenAt time.Time
	// RevokedAt is when the agent was revoked; zero: it was not.
	RevokedAt time.Time
}

// Reach is how far a revocation came in all gateways of an organization.
type Reach struct {
	// Agents that are not revoked, and those of them that have it in force.
	Agents, Applied int32
	// List has the first of them: those without it, then the latest to apply it; then
	// agents that were revoked.
	List []Reached
}

// Revoked is a key's revocation.
type Revoked struct {
	OrganizationID uuid.UUID
	// Version of the organization's log.
	Version int64
	// KeyMadeAt: agents that were revoked before never had the key.
	KeyMadeAt time.Time
}

// RevocationReach tells which agents have a revocation in force; the list has at most
// limit agents.
func (t *ReportTable) RevocationReach(ctx context.Context, of Revoked, limit int) (reach Reach, err error) {
	const query = `
		SELECT a.id, a.gateway_id, a.name, r.applied_at, s.last_seen_at, a.revoked_at,
		       count(*) FILTER (WHERE a.revoked_at IS NULL) OVER (), count(r.applied_at) FILTER (WHERE a.revoked_at IS NULL) OVER ()
		FROM agent a
		LEFT JOIN agent_status s ON s.organization_id = a.organization_id AND s.agent_id = a.id
		LEFT JOIN LATERAL (
			SELECT min(applied_at) AS applied_at FROM revocation_receipt
			WHERE organization_id = a.organization_id AND agent_id = a.id AND version >= $2) r ON true
		WHERE a.organization_id = $1 AND a.valid_to IS NULL AND (a.revoked_at IS NULL OR a.revoked_at > $4)
		ORDER BY a.revoked_at IS NOT NULL, r.applied_at DESC NULLS FIRST, a.id LIMIT $3`
	err = t.db.InOrganization(ctx, of.OrganizationID, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, of.OrganizationID, of.Version, limit, of.KeyMadeAt)
		if err != nil {
			return err
		}
		var one Reached
		var applied, seen, revoked *time.Time
		_, err = pgx.ForEachRow(rows, []any{&one.AgentID, &one.GatewayID, &one.Name, &applied, &seen, &revoked, &reach.Agents, &reach.Applied}, func() error {
			one.AppliedAt, one.LastSeenAt, one.RevokedAt = timeOrZero(applied), timeOrZero(seen), timeOrZero(revoked)
			reach.List = append(reach.List, one)
			return nil
		})
		return err
	})
	if err != nil {
		return Reach{}, fmt.Errorf("look who has revocation %d: %w", of.Version, err)
	}
	return reach, nil
}
