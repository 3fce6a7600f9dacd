package controlplane

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
)

// clickHouseMigration is the advisory lock in Postgres under which one process at
// a time migrates ClickHouse, which has no lock of its own.
const clickHouseMigration = 0x77656972_00000001

const migrateEvery = 2 * time.Second

// migrateClickHouse waits for ClickHouse: without it, usage waits in Kafka and
// nothing else suffers.
func (p *process) migrateClickHouse(ctx context.Context) error {
	for ctx.Err() == nil {
		err := p.db.System(ctx, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(clickHouseMigration)); err != nil {
				return fmt.Errorf("lock to migrate clickhouse: %w", err)
			}
			return clickhouse.Migrate(ctx, p.config.ClickHouseURL, p.config.ClickHouseDatabase, clickhouse.Cluster(p.config.ClickHouseCluster))
		})
		if err == nil {
			return nil
		}
		p.logger.WarnContext(ctx, "clickhouse is not ready; usage waits in Kafka", "error", err)
		wait(ctx, migrateEvery)
	}
	return nil
}
