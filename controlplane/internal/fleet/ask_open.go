package fleet

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// What is below is of all organizations together: one look finds the asks for all agents
// that are connected.

const openAsks = `
	SELECT organization_id, id, gateway_id, agent_id, question, tried FROM agent_ask
	WHERE taken_by IS NULL AND answer IS NULL AND expires_at > now()
		AND cardinality(tried) < CASE WHEN agent_id IS NULL THEN $1 ELSE 1 END
	ORDER BY open_since LIMIT 1000`

// Open implements Asks.
func (t *AskTable) Open(ctx context.Context) (open []OpenAsk, err error) {
	err = t.db.SystemRead(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, openAsks, maxTries)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var ask OpenAsk
			var named *uuid.UUID
			if err := rows.Scan(&ask.OrganizationID, &ask.ID, &ask.GatewayID, &named, &ask.Question, &ask.Tried); err != nil {
				return err
			}
			ask.AgentID = idOrNil(named)
			open = append(open, ask)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list open asks: %w", err)
	}
	return open, nil
}

// Rows that another process is about to take are left to it.
const takeAsks = `
	WITH wanted AS (
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) w (organization_id, id, agent_id)
	), free AS (
		SELECT a.organization_id, a.id FROM agent_ask a JOIN wanted USING (organization_id, id)
		WHERE a.taken_by IS NULL AND a.answer IS NULL FOR UPDATE OF a SKIP LOCKED
	)
	UPDATE agent_ask a SET taken_by = wanted.agent_id, taken_at = clock_timestamp()
	FROM free JOIN wanted USING (organization_id, id)
	WHERE a.organization_id = free.organization_id AND a.id = free.id
	RETURNING a.organization_id, a.id`

// Take implements Asks.
func (t *AskTable) Take(ctx context.Context, takings []AskTaking) (taken []AskRef, err error) {
	var organizations, ids, agents []uuid.UUID
	for _, taking := range takings {
		organizations, ids, agents = append(organizations, taking.OrganizationID), append(ids, taking.ID), append(agents, taking.AgentID)
	}
	err = t.db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, takeAsks, organizations, ids, agents)
		if err != nil {
			return err
		}
		taken, err = pgx.CollectRows(rows, pgx.RowToStructByPos[AskRef])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("take %d asks: %w", len(takings), err)
	}
	return taken, nil
}

// Forget implements Asks.
func (t *AskTable) Forget(ctx context.Context) error {
	err := t.db.System(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM agent_ask WHERE expires_at < now()`)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget old asks: %w", err)
	}
	return nil
}
