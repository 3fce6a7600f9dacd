package alert

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const (
	// MostADay is how many alerts an organization has in a day; what comes beyond is not
	// raised.
	MostADay = 500
	// MostOfMany of them are tests, or of one of those that a budget counts apart: a crowd of
	// end users, each near its own budget, hides nothing of the organization's.
	MostOfMany = 400
	// Patience is for how long a delivery is attempted.
	Patience = 24 * time.Hour
	// Taken is for how long a delivery is its process': a message takes
	// webhook.Timeout at most, the rest is for clocks that differ.
	Taken = time.Minute
)

// raise returns how many alerts it made: none where it was raised before.
const raise = `
	WITH raised AS (
		INSERT INTO alert (organization_id, id, kind, raised_at, body)
		SELECT $1, $2, $3, $4, $5
		WHERE (SELECT count(*) FROM alert WHERE organization_id = $1 AND raised_at > $4::timestamptz - interval '1 day') < $6
			AND (NOT $10 OR (SELECT count(*) FROM alert WHERE organization_id = $1 AND raised_at > $4::timestamptz - interval '1 day'
				AND (kind = 'test' OR body::json #> '{data,budget_threshold,subject}' IS NOT NULL)) < $11)
		ON CONFLICT DO NOTHING RETURNING id, raised_at),
	told AS (
		INSERT INTO alert_delivery (organization_id, id, alert_id, alert_channel_id, created_at, due_at, expires_at)
		SELECT $1, d.id, raised.id, d.channel, raised.raised_at, raised.raised_at, raised.raised_at + $7::interval
		FROM raised, unnest($8::uuid[], $9::uuid[]) AS d (id, channel) ON CONFLICT DO NOTHING)
	SELECT count(*) FROM raised`

// Queue raises an alert in the batch's transaction, and tells these channels. raised, which
// may be nil, is called with false where nothing was raised: it was before, or the
// organization has had MostADay, or MostOfMany.
func (a Alert) Queue(batch *pgx.Batch, organization uuid.UUID, channels []uuid.UUID, raised func(bool)) {
	deliveries := make([]uuid.UUID, len(channels))
	for i, channel := range channels {
		deliveries[i] = a.DeliveryID(channel)
	}
	queued := batch.Queue(raise, organization, a.ID, string(a.Kind), a.RaisedAt, a.Body, MostADay, Patience, deliveries, channels, a.many, MostOfMany)
	queued.QueryRow(func(row pgx.Row) error {
		made := 0
		err := row.Scan(&made)
		if err == nil && raised != nil {
			raised(made == 1)
		}
		return err
	})
}

// DeliveryID of the alert to a channel: the same wherever and whenever it is made, so that
// receivers know a repeated message also after this server was restored.
func (a Alert) DeliveryID(channel uuid.UUID) uuid.UUID { return uuid.NewSHA1(a.ID, channel[:]) }
