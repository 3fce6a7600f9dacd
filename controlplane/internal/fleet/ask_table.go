package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// AskTable keeps asks in Postgres.
type AskTable struct{ db *postgres.DB }

var (
	_ Asks    = (*AskTable)(nil)
	_ AskDesk = (*AskTable)(nil)
)

// NewAskTable returns the asks in db.
func NewAskTable(db *postgres.DB) *AskTable { return &AskTable{db: db} }

// The lock makes the count true: it is of one organization.
const (
	lockAsks = `SELECT pg_advisory_xact_lock(hashtextextended('agent_ask ' || $1::text, 0))`
	putAsk   = `
		INSERT INTO agent_ask (organization_id, id, gateway_id, agent_id, question, expires_at)
		SELECT $1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 millisecond'
		WHERE (SELECT count(*) FROM agent_ask WHERE organization_id = $1 AND expires_at > clock_timestamp()) < $7`
)

// Put implements AskDesk.
func (t *AskTable) Put(ctx context.Context, a Asking) (put bool, err error) {
	var named *uuid.UUID
	if a.AgentID != uuid.Nil {
		named = &a.AgentID
	}
	err = t.db.InOrganization(ctx, a.OrganizationID, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockAsks, a.OrganizationID); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, putAsk, a.OrganizationID, a.ID, a.GatewayID, named, a.Question, askLife.Milliseconds(), MaxAsks)
		put = tag.RowsAffected() == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("leave an ask: %w", err)
	}
	return put, nil
}

const lookAsk = `
	SELECT extract(epoch FROM clock_timestamp() - open_since)::float8,
	       coalesce(extract(epoch FROM clock_timestamp() - taken_at), 0)::float8, taken_by, tried, unfit, answered_by, answer
	FROM agent_ask WHERE organization_id = $1 AND id = $2`

// Look implements AskDesk.
func (t *AskTable) Look(ctx context.Context, ask AskRef) (s AskState, err error) {
	var open, taken float64
	var takenBy, answeredBy *uuid.UUID
	err = t.db.Read(ctx, ask.OrganizationID, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, lookAsk, ask.OrganizationID, ask.ID).
			Scan(&open, &taken, &takenBy, &s.Tried, &s.Unfit, &answeredBy, &s.Answer)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return AskState{}, fault.New(fault.NotFound, "no ask %s", ask.ID)
	}
	if err != nil {
		return AskState{}, fmt.Errorf("look for an answer: %w", err)
	}
	s.OpenFor, s.TakenFor = seconds(open), seconds(taken)
	s.TakenBy, s.AnsweredBy = idOrNil(takenBy), idOrNil(answeredBy)
	return s, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func idOrNil(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}

const putBackAsk = `
	UPDATE agent_ask SET tried = tried || taken_by, taken_by = NULL, taken_at = NULL, open_since = clock_timestamp()
	WHERE organization_id = $1 AND id = $2 AND taken_by = $3 AND answer IS NULL`

// PutBack implements Asks and AskDesk.
func (t *AskTable) PutBack(ctx context.Context, taking AskTaking) error {
	return t.write(ctx, "put an ask back", taking.OrganizationID, putBackAsk, taking.OrganizationID, taking.ID, taking.AgentID)
}

// Drop implements AskDesk.
func (t *AskTable) Drop(ctx context.Context, ask AskRef) error {
	const drop = `DELETE FROM agent_ask WHERE organization_id = $1 AND id = $2`
	return t.write(ctx, "drop an ask", ask.OrganizationID, drop, ask.OrganizationID, ask.ID)
}

// Note implements Asks.
func (t *AskTable) Note(ctx context.Context, ask AskRef, unfit map[string]string) error {
	const note = `UPDATE agent_ask SET unfit = unfit || $3::jsonb WHERE organization_id = $1 AND id = $2`
	return t.write(ctx, "note who can't be asked", ask.OrganizationID, note, ask.OrganizationID, ask.ID, unfit)
}

func (t *AskTable) write(ctx context.Context, what string, organization uuid.UUID, statement string, arguments ...any) error {
	err := t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, statement, arguments...)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

const answerAsk = `
	UPDATE agent_ask SET answer = coalesce(answer, $4), answered_by = coalesce(answered_by, $3)
	WHERE organization_id = $1 AND id = $2 AND (taken_by = $3 OR $3 = ANY(tried)) AND expires_at > clock_timestamp()`

// Answer implements Asks.
func (t *AskTable) Answer(ctx context.Context, by AskTaking, answer []byte) (kept bool, err error) {
	err = t.db.InOrganization(ctx, by.OrganizationID, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, answerAsk, by.OrganizationID, by.ID, by.AgentID, answer)
		kept = tag.RowsAffected() == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("keep an answer: %w", err)
	}
	return kept, nil
}
