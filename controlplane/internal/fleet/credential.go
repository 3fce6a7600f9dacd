package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Credential is how an agent does with one provider's credential; never its value.
type Credential struct {
	State  agentv1.CredentialStatus_State `json:"state"`
	Reason string                         `json:"reason,omitempty"`
	// Since when the state is not OK; zero: it is.
	Since time.Time `json:"since,omitzero"`
	// Fingerprint under the key that FingerprintKey names; empty: there is no value.
	Fingerprint    string `json:"fingerprint,omitempty"`
	FingerprintKey string `json:"fingerprint_key,omitempty"`
}

// fromProtoCredentials is nil where the report says nothing of them.
func fromProtoCredentials(r *agentv1.CredentialReport, now time.Time) map[string]Credential {
	if r == nil {
		return nil
	}
	credentials := make(map[string]Credential, len(r.GetCredentials()))
	for _, c := range r.GetCredentials() {
		credential := Credential{State: c.GetState(), Reason: storable(c.GetReason()), Fingerprint: c.GetFingerprint(), FingerprintKey: c.GetFingerprintKey()}
		if c.GetState() != agentv1.CredentialStatus_STATE_OK {
			credential.Since = ago(now, c.GetSinceMs())
		}
		credentials[storable(c.GetProviderId())] = credential
	}
	return credentials
}

// What is asked for is picked there: an agent may have said a thousand.
const (
	readCredentials = `
	SELECT agent_id, last_seen_at, CASE WHEN $3 = '' THEN credentials
		WHEN credentials ? $3 THEN jsonb_build_object($3::text, credentials -> $3) ELSE '{}' END
	FROM agent_status WHERE organization_id = $1 AND agent_id = ANY($2)`
	readTroubles = `
	SELECT s.agent_id, s.last_seen_at, coalesce(t.credentials, '{}')
	FROM agent_status s CROSS JOIN LATERAL (
		SELECT jsonb_object_agg(key, value) AS credentials FROM (
			SELECT key, value FROM jsonb_each(s.credentials) WHERE (value ->> 'state')::int <> ALL($3::int[])
			ORDER BY (value ->> 'state')::int = $4, key LIMIT 10) bad) t
	WHERE s.organization_id = $1 AND s.agent_id = ANY($2)`
)

// Credentials is what an agent last said of them.
type Credentials struct {
	LastSeenAt time.Time
	// ByProvider has those that it named.
	ByProvider map[string]Credential
}

// Credentials returns what these agents of one organization said of a provider's, or
// of all where it is empty. Agents that never reported are absent.
func (t *ReportTable) Credentials(ctx context.Context, organization uuid.UUID, agents []uuid.UUID, provider string) (map[uuid.UUID]Credentials, error) {
	return t.credentials(ctx, organization, len(agents), readCredentials, organization, agents, provider)
}

// Troubles returns what these agents can't use, or use though it is old: ten each.
func (t *ReportTable) Troubles(ctx context.Context, organization uuid.UUID, agents []uuid.UUID) (map[uuid.UUID]Credentials, error) {
	return t.credentials(ctx, organization, len(agents), readTroubles, organization, agents,
		[]agentv1.CredentialStatus_State{agentv1.CredentialStatus_STATE_OK, agentv1.CredentialStatus_STATE_NONE}, agentv1.CredentialStatus_STATE_STALE)
}

func (t *ReportTable) credentials(ctx context.Context, organization uuid.UUID, agents int, query string, args ...any) (map[uuid.UUID]Credentials, error) {
	found := make(map[uuid.UUID]Credentials, agents)
	err := t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id uuid.UUID
			var c Credentials
			if err := rows.Scan(&id, &c.LastSeenAt, &c.ByProvider); err != nil {
				return err
			}
			found[id] = c
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read credentials of agents: %w", err)
	}
	return found, nil
}
