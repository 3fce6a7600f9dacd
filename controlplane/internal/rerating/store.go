package rerating

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// insertTimeout bounds an insert; see holdFor.
const insertTimeout = 40 * time.Second

// corrected is the table of corrections.
const corrected = "usage_correction"

const insertSQL = `INSERT INTO ` + corrected + ` (organization_id, rerate_id, started_at, request_id, boot, seq, attempt,
	kind, project_id, key_id, route, labels, last_model, provider_id, provider, model,
	old_cost_usd, new_cost_usd, difference_usd, first_price, price_book_version)`

// store inserts the corrections of a window that are not there yet: all or none, and once,
// by however many it is tried who found as many there.
func (w *work) store(ctx context.Context, of window, there int, found []correction) error {
	if len(found) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	return w.conn.InTurn(ctx, corrected, func() error { return w.insert(ctx, of, there, found) })
}

func (w *work) insert(ctx context.Context, of window, there int, found []correction) error {
	batch, err := w.conn.PrepareBatch(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert":                    0,
		"insert_deduplicate":              1,
		"insert_deduplication_token":      fmt.Sprintf("%s.%d.%d.%d", w.own, of.from.UnixMicro(), of.until.UnixMicro(), there),
		"max_partitions_per_insert_block": 1,
		"max_insert_block_size":           1 << 30, // one block
	})), insertSQL)
	if err != nil {
		return fmt.Errorf("prepare corrections: %w", err)
	}
	for i, column := range w.columns(found) {
		if err := batch.Column(i).Append(column); err != nil {
			_ = batch.Abort()
			return fmt.Errorf("column %d of corrections: %w", i, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert %d corrections: %w", len(found), err)
	}
	return nil
}

// columns are those of insertSQL, in its order: the driver takes them in half the time that
// rows need.
func (w *work) columns(found []correction) []any {
	old, now, difference := make([]*decimal.Decimal, len(found)), make([]decimal.Decimal, len(found)), make([]decimal.Decimal, len(found))
	for i, c := range found {
		before := int64(0)
		if c.CorrectedNanoUSD != nil {
			usd := toUSD(*c.CorrectedNanoUSD)
			old[i], before = &usd, *c.CorrectedNanoUSD
		}
		now[i], difference[i] = toUSD(c.nanoUSD), toUSD(c.nanoUSD-before)
	}
	return []any{
		each(found, func(correction) uuid.UUID { return w.organization }),
		each(found, func(correction) uuid.UUID { return w.own }),
		each(found, func(c correction) time.Time { return c.StartedAt }),
		each(found, func(c correction) uuid.UUID { return c.RequestID }),
		each(found, func(c correction) string { return c.Boot }),
		each(found, func(c correction) int64 { return c.Seq }),
		each(found, func(c correction) uint16 { return c.Number }),
		each(found, func(c correction) string { return c.Kind }),
		each(found, func(c correction) uuid.UUID { return c.ProjectID }),
		each(found, func(c correction) uuid.UUID { return c.KeyID }),
		each(found, func(c correction) string { return c.Route }),
		each(found, func(c correction) map[string]string { return c.Labels }),
		each(found, func(c correction) string { return c.LastModel }),
		each(found, func(c correction) uuid.UUID { return c.ProviderID }),
		each(found, func(c correction) string { return c.Provider }),
		each(found, func(c correction) string { return c.Model }),
		old, now, difference,
		each(found, func(c correction) bool { return c.CorrectedNanoUSD == nil }),
		each(found, func(correction) string { return w.settings.Book.String() }),
	}
}

func each[T any](found []correction, of func(correction) T) []T {
	all := make([]T, len(found))
	for i, c := range found {
		all[i] = of(c)
	}
	return all
}

func toUSD(nano int64) decimal.Decimal { return decimal.New(nano, -9) }
