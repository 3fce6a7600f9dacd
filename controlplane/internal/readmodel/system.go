package readmodel

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/organization"
)

// What is here looks through every organization (weir_system), because nobody
// knows yet, or ever, which one it is about.

// Agent returns an enrolled agent by its id, or a NotFound fault, also where its
// organization is no more.
func (s *Store) Agent(ctx context.Context, id uuid.UUID) (gateway.Agent, error) {
	const query = `SELECT a.state::text FROM agent a
		JOIN organization o ON o.organization_id = a.organization_id AND o.valid_to IS NULL
		WHERE a.id = $1 AND a.valid_to IS NULL`
	var agent gateway.Agent
	var ok bool
	err := s.db.System(ctx, func(tx pgx.Tx) (err error) {
		agent, ok, err = one[gateway.Agent](ctx, tx, query, id)
		return err
	})
	if err != nil {
		return gateway.Agent{}, fmt.Errorf("find agent %s: %w", id, err)
	}
	if !ok {
		return gateway.Agent{}, fault.Because(fault.NotFound, "agent_not_found", "no agent %s", id)
	}
	return agent, nil
}

// GatewayRegion returns where a gateway's usage lives, which never changes; a NotFound fault
// where there is no such gateway.
func (s *Store) GatewayRegion(ctx context.Context, organization, id uuid.UUID) (string, error) {
	const query = `SELECT state::text FROM gateway WHERE organization_id = $1 AND id = $2 ORDER BY valid_from DESC LIMIT 1`
	var found gateway.Gateway
	var ok bool
	err := s.db.InOrganization(ctx, organization, func(tx pgx.Tx) (err error) {
		found, ok, err = one[gateway.Gateway](ctx, tx, query, organization, id)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("find region of gateway %s: %w", id, err)
	}
	if !ok {
		return "", fault.Because(fault.NotFound, "gateway_not_found", "no gateway %s", id)
	}
	return found.Region, nil
}

// RevokedAgents returns, of each organization, the agents revoked after a version of its
// log; 0: all.
func (s *Store) RevokedAgents(ctx context.Context, after map[uuid.UUID]int64) ([]gateway.Agent, error) {
	// A revoked agent's row changes no more: it begins with the revocation.
	const query = `SELECT a.state::text FROM unnest($1::uuid[], $2::bigint[]) AS wanted (organization_id, version)
		JOIN agent a ON a.organization_id = wanted.organization_id AND a.valid_from > wanted.version
			AND a.valid_to IS NULL AND a.revoked_at IS NOT NULL`
	organizations, versions := make([]uuid.UUID, 0, len(after)), make([]int64, 0, len(after))
	for organization, version := range after {
		organizations, versions = append(organizations, organization), append(versions, version)
	}
	return s.agents(ctx, "read revoked agents", query, organizations, versions)
}

// RevokedAmong returns those of the agents that were revoked.
func (s *Store) RevokedAmong(ctx context.Context, ids []uuid.UUID) ([]gateway.Agent, error) {
	const query = `SELECT state::text FROM agent WHERE id = ANY($1) AND valid_to IS NULL AND revoked_at IS NOT NULL`
	return s.agents(ctx, "look for revoked agents", query, ids)
}

func (s *Store) agents(ctx context.Context, doing, query string, args ...any) (found []gateway.Agent, err error) {
	err = s.db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, fromState[gateway.Agent])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return found, nil
}

// EnrolmentTokenOwner returns whose enrolment token has this hash; false: nobody's, or
// that of an organization which is no more.
func (s *Store) EnrolmentTokenOwner(ctx context.Context, hash [sha256.Size]byte) (owner, token uuid.UUID, ok bool, err error) {
	const query = `SELECT t.organization_id, t.id FROM enrolment_token t
		JOIN organization o ON o.organization_id = t.organization_id AND o.valid_to IS NULL
		WHERE t.sha256 = $1 AND t.valid_to IS NULL`
	err = s.db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, hash[:])
		if err != nil {
			return err
		}
		_, err = pgx.ForEachRow(rows, []any{&owner, &token}, func() error {
			ok = true
			return nil
		})
		return err
	})
	if err != nil {
		err = fmt.Errorf("find enrolment token: %w", err)
	}
	return owner, token, ok, err
}

// OrganizationNamed tells whether any organization has the name.
func (s *Store) OrganizationNamed(ctx context.Context, name string) (bool, error) {
	const query = `SELECT EXISTS (SELECT FROM organization WHERE name = $1 AND valid_to IS NULL)`
	var exists bool
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query, name).Scan(&exists)
	})
	if err != nil {
		return false, fmt.Errorf("find organization by name: %w", err)
	}
	return exists, nil
}

// ListOrganizations is Table.List over the whole installation, with the heads of
// the organizations' logs.
func (s *Store) ListOrganizations(ctx context.Context, q Query) (found []organization.Organization, heads map[uuid.UUID]int64, next *filter.Place, err error) {
	statement := &filter.Postgres{}
	restricted, err := q.Restrict(statement)
	if err != nil {
		return nil, nil, nil, err
	}
	var state string
	selection := Selection{
		SQL:  fmt.Sprintf("SELECT %s, id, state::text FROM organization WHERE valid_to IS NULL AND %s", q.Order.Columns(), restricted),
		Args: statement.Args, Into: []any{&state},
	}
	err = s.db.System(ctx, func(tx pgx.Tx) (err error) {
		found, next, err = CollectPage(ctx, tx, q, selection, func() (o organization.Organization, err error) {
			return o, json.Unmarshal([]byte(state), &o)
		})
		if err != nil {
			return err
		}
		heads, err = headsOf(ctx, tx, found)
		return err
	})
	return found, heads, next, err
}

func headsOf(ctx context.Context, tx pgx.Tx, organizations []organization.Organization) (map[uuid.UUID]int64, error) {
	ids := make([]uuid.UUID, 0, len(organizations))
	for _, o := range organizations {
		ids = append(ids, o.ID)
	}
	rows, err := tx.Query(ctx, `SELECT organization_id, head FROM organization_head WHERE organization_id = ANY($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	heads := map[uuid.UUID]int64{}
	var id uuid.UUID
	var head int64
	_, err = pgx.ForEachRow(rows, []any{&id, &head}, func() error {
		heads[id] = head
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	return heads, nil
}
