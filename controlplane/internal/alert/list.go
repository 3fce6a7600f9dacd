package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// Kinds by the numbers that events and the API have for them.
var Kinds = map[Kind]int32{OfBudget: 1, OfSpend: 2, OfUnpriced: 3, OfTest: 4}

// Fields are what lists of alerts are filtered and ordered by.
var Fields = filter.Schema{
	Fields: []filter.Field{
		{Name: "id", Kind: filter.ID, SQL: "id"},
		{
			Name: "kind", Kind: filter.Enum, Values: map[string]int32{"budget_threshold": 1, "spend_anomaly": 2, "unpriced_usage": 3, "test": 4},
			SQL: `CASE kind WHEN 'budget.threshold' THEN 1::bigint WHEN 'spend.anomaly' THEN 2 WHEN 'usage.unpriced' THEN 3 WHEN 'test' THEN 4 END`,
		},
		{Name: "budget_id", Kind: filter.ID, SQL: `CASE kind WHEN 'budget.threshold' THEN (body::jsonb #>> '{data,budget_threshold,budget_id}')::uuid END`},
		{Name: "raised_at", Kind: filter.Time, SQL: "raised_at", Ordered: true},
	},
	Order: "raised_at desc",
}

// DeliveryFields are what lists of deliveries are filtered and ordered by.
var DeliveryFields = filter.Schema{
	Fields: []filter.Field{
		{Name: "id", Kind: filter.ID, SQL: "id"},
		{Name: "alert_id", Kind: filter.ID, SQL: "alert_id"},
		{Name: "alert_channel_id", Kind: filter.ID, SQL: "alert_channel_id"},
		{
			Name: "state", Kind: filter.Enum, Values: map[string]int32{"pending": 1, "accepted": 2, "failed": 3},
			SQL: `CASE state WHEN 'pending' THEN 1::bigint WHEN 'accepted' THEN 2 WHEN 'failed' THEN 3 END`,
		},
		{Name: "created_at", Kind: filter.Time, SQL: "created_at", Ordered: true},
		{Name: "ended_at", Kind: filter.Time, SQL: "ended_at"},
	},
	Order: "created_at desc",
}

// List returns a page of alerts, and where it ends; nil: there is no next one.
func List(ctx context.Context, v readmodel.View, q readmodel.Query) ([]Alert, *filter.Place, error) {
	statement := &filter.Postgres{Args: []any{v.Organization}}
	restricted, err := q.Restrict(statement)
	if err != nil {
		return nil, nil, err
	}
	var a Alert
	return readmodel.CollectPage(ctx, v.Tx, q, readmodel.Selection{
		SQL:  fmt.Sprintf(`SELECT %s, id, id, kind, raised_at, body FROM alert WHERE organization_id = $1 AND %s`, q.Order.Columns(), restricted),
		Args: statement.Args, Into: []any{&a.ID, &a.Kind, &a.RaisedAt, &a.Body},
	}, func() (Alert, error) { return a, nil })
}

// deliveryColumns are those of a Delivery, its attempts as JSON.
const deliveryColumns = `id, alert_id, alert_channel_id, state, created_at, due_at, expires_at, coalesce(ended_at, 'epoch'),
	(SELECT coalesce(json_agg(json_build_array(t.number, t.began_at, t.result, t.status, t.duration_us) ORDER BY t.number), '[]')::text
		FROM alert_attempt t WHERE t.organization_id = $1 AND t.delivery_id = alert_delivery.id)`

// Deliveries returns a page of deliveries with all of their attempts, and where it ends;
// nil: there is no next one.
func Deliveries(ctx context.Context, v readmodel.View, q readmodel.Query) ([]Delivery, *filter.Place, error) {
	statement := &filter.Postgres{Args: []any{v.Organization}}
	restricted, err := q.Restrict(statement)
	if err != nil {
		return nil, nil, err
	}
	var r deliveryRow
	return readmodel.CollectPage(ctx, v.Tx, q, readmodel.Selection{
		SQL:  fmt.Sprintf(`SELECT %s, id, %s FROM alert_delivery WHERE organization_id = $1 AND %s`, q.Order.Columns(), deliveryColumns, restricted),
		Args: statement.Args, Into: r.into(),
	}, r.delivery)
}

// deliveryRow is a row of deliveryColumns.
type deliveryRow struct {
	Delivery
	attempts string
}

func (r *deliveryRow) into() []any {
	return []any{&r.ID, &r.AlertID, &r.ChannelID, &r.State, &r.CreatedAt, &r.DueAt, &r.ExpiresAt, &r.EndedAt, &r.attempts}
}

func (r *deliveryRow) delivery() (Delivery, error) {
	d := r.Delivery
	if d.State == Pending {
		d.EndedAt = time.Time{}
	}
	var attempts [][5]json.RawMessage
	if err := json.Unmarshal([]byte(r.attempts), &attempts); err != nil {
		return d, fmt.Errorf("read attempts of delivery %s: %w", d.ID, err)
	}
	d.Attempts = make([]Attempt, len(attempts))
	for i, columns := range attempts {
		a, us := &d.Attempts[i], int64(0)
		for j, into := range []any{&a.Number, &a.BeganAt, &a.Result, &a.Status, &us} {
			if err := json.Unmarshal(columns[j], into); err != nil {
				return d, fmt.Errorf("read attempts of delivery %s: %w", d.ID, err)
			}
		}
		a.Duration = time.Duration(us) * time.Microsecond
	}
	return d, nil
}

// Retry makes a delivery due at once, for another day where it had ended. One whose attempt
// is under way stays as it is. A NotFound fault where the organization has none.
func Retry(ctx context.Context, v readmodel.View, id uuid.UUID, now time.Time) (Delivery, error) {
	const retry = `UPDATE alert_delivery SET state = 'pending', ended_at = NULL, due_at = $3,
			expires_at = CASE WHEN state = 'pending' THEN expires_at ELSE $3::timestamptz + $4::interval END
		WHERE organization_id = $1 AND id = $2 AND (state <> 'pending' OR NOT EXISTS (
			SELECT FROM alert_attempt t WHERE t.organization_id = $1 AND t.delivery_id = $2 AND t.number = attempts AND t.result = 0 AND t.began_at > $3::timestamptz - $5::interval))`
	if _, err := v.Tx.Exec(ctx, retry, v.Organization, id, now, Patience, Taken); err != nil {
		return Delivery{}, fmt.Errorf("retry delivery %s: %w", id, err)
	}
	var r deliveryRow
	err := v.Tx.QueryRow(ctx, `SELECT `+deliveryColumns+` FROM alert_delivery WHERE organization_id = $1 AND id = $2`, v.Organization, id).Scan(r.into()...)
	if errors.Is(err, pgx.ErrNoRows) {
		return Delivery{}, fault.Because(fault.NotFound, "alert_delivery_not_found", "no alert delivery %s", id)
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("read delivery %s: %w", id, err)
	}
	return r.delivery()
}
