package courier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

const (
	// keepDeliveries is how long it is known what came of them; keepAlerts how long alerts are.
	keepDeliveries = 30 * 24 * time.Hour
	keepAlerts     = 90 * 24 * time.Hour
	forgetBatch    = 1000
)

// table is what is to be delivered, in Postgres.
type table struct{ db *postgres.DB }

// dueLane has something due; failed: something of it was attempted that its receiver did not
// take, and is attempted again now or later. What is on its way for the first time is not.
type dueLane struct {
	lane
	failed bool
}

// due are lanes that have something due: those that failed come last, or a few receivers that
// fail would keep an organization's places for as long as they are told something new; then the
// longest first. Of what is about organizations only their ids are read here.
func (t table) due(ctx context.Context, now time.Time) (found []dueLane, err error) {
	const query = `SELECT organization_id, alert_channel_id, EXISTS (SELECT FROM alert_delivery f WHERE f.organization_id = d.organization_id
			AND f.alert_channel_id = d.alert_channel_id AND f.state = 'pending' AND (f.attempts > 1 OR f.attempts = 1 AND EXISTS (
				SELECT FROM alert_attempt a WHERE a.organization_id = f.organization_id AND a.delivery_id = f.id AND a.number = 1 AND a.result <> 0))) AS failed
		FROM (SELECT organization_id, alert_channel_id, min(due_at) AS since FROM alert_delivery
			WHERE state = 'pending' AND due_at <= $1 GROUP BY 1, 2) AS d ORDER BY failed, since`
	err = t.db.SystemRead(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, now)
		if err != nil {
			return err
		}
		var d dueLane
		_, err = pgx.ForEachRow(rows, []any{&d.organization, &d.channel, &d.failed}, func() error {
			found = append(found, d)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for deliveries: %w", err)
	}
	return found, nil
}

// taking is a delivery whose attempt begins.
type taking struct {
	id uuid.UUID
	// number of the attempt, from 1.
	number  int32
	expires time.Time
	body    string
	// url is empty where the channel is deleted.
	url string
}

// Who is about to send says so before: whoever comes meanwhile leaves it alone, and an
// attempt that nobody knows the end of is known all the same.
const takeDelivery = `
	WITH due AS (
		SELECT id FROM alert_delivery WHERE organization_id = $1 AND alert_channel_id = $2 AND state = 'pending' AND due_at <= $3
		ORDER BY due_at, created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED),
	taken AS (
		UPDATE alert_delivery d SET attempts = d.attempts + 1, due_at = $4 FROM due WHERE d.organization_id = $1 AND d.id = due.id
		RETURNING d.id, d.alert_id, d.attempts, d.expires_at),
	begun AS (
		INSERT INTO alert_attempt (organization_id, delivery_id, number, began_at) SELECT $1, id, attempts, $3 FROM taken)
	SELECT t.id, t.attempts, t.expires_at, a.body FROM taken t JOIN alert a ON a.organization_id = $1 AND a.id = t.alert_id`

// take begins the next attempt of a lane; false: nothing is due.
func (t table) take(ctx context.Context, l lane, now time.Time) (k taking, due bool, err error) {
	err = t.db.InOrganization(ctx, l.organization, func(tx pgx.Tx) error {
		row := tx.QueryRow(ctx, takeDelivery, l.organization, l.channel, now, now.Add(alert.Taken))
		if err := row.Scan(&k.id, &k.number, &k.expires, &k.body); err != nil {
			return err
		}
		channel, err := readmodel.AlertChannels.Find(ctx, readmodel.View{Tx: tx, Organization: l.organization}, l.channel)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		k.url = channel.URL
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return k, false, nil
	}
	if err != nil {
		return k, false, fmt.Errorf("take a delivery of organization %s: %w", l.organization, err)
	}
	return k, true, nil
}

// outcome of an attempt.
type outcome struct {
	result   alert.Result
	status   int
	duration time.Duration
	// state of the delivery from at on; due again while it is pending.
	state   alert.State
	at, due time.Time
}

// note writes down what came of an attempt. Where another process has begun a later one
// meanwhile, the delivery is that one's, unless it was accepted.
func (t table) note(ctx context.Context, l lane, k taking, o outcome) error {
	const noteAttempt = `UPDATE alert_attempt SET result = $4, status = $5, duration_us = $6 WHERE organization_id = $1 AND delivery_id = $2 AND number = $3`
	const noteDelivery = `UPDATE alert_delivery SET state = $4::text, due_at = CASE WHEN $4::text = 'pending' THEN $5 ELSE due_at END,
			ended_at = CASE WHEN $4::text = 'pending' THEN NULL ELSE $6::timestamptz END
		WHERE organization_id = $1 AND id = $2 AND state = 'pending' AND (attempts = $3 OR $4::text = 'accepted')`
	err := t.db.InOrganization(ctx, l.organization, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(noteAttempt, l.organization, k.id, k.number, o.result, o.status, o.duration.Microseconds())
		batch.Queue(noteDelivery, l.organization, k.id, k.number, string(o.state), o.due, o.at)
		return postgres.Finish(ctx, tx, batch)
	})
	if err != nil {
		return fmt.Errorf("note what came of delivery %s: %w", k.id, err)
	}
	return nil
}

// forget deletes what is too old, some rows at a time.
func (t table) forget(ctx context.Context, now time.Time) error {
	for _, old := range []struct {
		statement string
		before    time.Time
	}{
		{`DELETE FROM alert_attempt WHERE ctid = ANY(ARRAY(SELECT ctid FROM alert_attempt WHERE began_at < $1 ORDER BY began_at LIMIT $2))`, now.Add(-keepDeliveries)},
		{`DELETE FROM alert_delivery WHERE ctid = ANY(ARRAY(SELECT ctid FROM alert_delivery WHERE created_at < $1 ORDER BY created_at LIMIT $2))`, now.Add(-keepDeliveries)},
		{`DELETE FROM alert WHERE ctid = ANY(ARRAY(SELECT ctid FROM alert WHERE raised_at < $1 ORDER BY raised_at LIMIT $2))`, now.Add(-keepAlerts)},
	} {
		for {
			var rows int64
			err := t.db.System(ctx, func(tx pgx.Tx) error {
				tag, err := tx.Exec(ctx, old.statement, old.before, forgetBatch)
				rows = tag.RowsAffected()
				return err
			})
			if err != nil {
				return fmt.Errorf("forget alerts: %w", err)
			}
			if rows < forgetBatch {
				break
			}
		}
	}
	return nil
}
