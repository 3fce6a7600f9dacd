package rerating

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/shopspring/decimal"
)

// insertTimeout is within what a transaction of Postgres waits.
const insertTimeout = 40 * time.Second

// corrected is the table of corrections.
const corrected = "usage_correction"

const insertSQL = `INSERT INTO ` + corrected + ` (organization_id, rerate_id, started_at, request_id, boot, seq, attempt,
	kind, project_id, key_id, route, labels, last_model, provider_id, provider, model,
	old_cost_usd, new_cost_usd, difference_usd, first_price, price_book_version)`

// store inserts the corrections of a window: all or none, and once, however often it is
// tried.
func (w *work) store(ctx context.Context, of window, found []correction) error {
	if len(found) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	return w.conn.InTurn(ctx, corrected, func() error { return w.insert(ctx, of, found) })
}

func (w *work) insert(ctx context.Context, of window, found []correction) error {
	batch, err := w.conn.PrepareBatch(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"async_insert":                    0,
		"insert_deduplicate":              1,
		"insert_deduplication_token":      fmt.Sprintf("%s.%d.%d", w.own, of.from.UnixMicro(), of.until.UnixMicro()),
		"max_partitions_per_insert_block": 1,
		"max_insert_block_size":           1 << 30, // one block
	})), insertSQL)
	if err != nil {
		return fmt.Errorf("prepare corrections: %w", err)
	}
	for _, c := range found {
		old, before := (*decimal.Decimal)(nil), int64(0)
		if c.CorrectedNanoUSD != nil {
			usd := toUSD(*c.CorrectedNanoUSD)
			old, before = &usd, *c.CorrectedNanoUSD
		}
		err := batch.Append(w.organization, w.own, c.StartedAt, c.RequestID, c.Boot, c.Seq, c.Number,
			c.Kind, c.ProjectID, c.KeyID, c.Route, c.Labels, c.LastModel, c.ProviderID, c.Provider, c.Model,
			old, toUSD(c.nanoUSD), toUSD(c.nanoUSD-before), old == nil, w.settings.Book.String())
		if err != nil {
			_ = batch.Abort()
			return fmt.Errorf("correction of request %s: %w", c.RequestID, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert %d corrections: %w", len(found), err)
	}
	return nil
}

func toUSD(nano int64) decimal.Decimal { return decimal.New(nano, -9) }
