package clickhouse_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

// Rows of before the migration, and those that a former build inserts after it, lost
// nothing.
func TestMigrate_losses(t *testing.T) {
	server := chtest.Start(t)
	backTo(t, server, "0110_losses")
	apply(t, server, "0110_losses.down")
	insert(t, server)
	apply(t, server, "0110_losses.up")
	insert(t, server)
	apply(t, server, "0110_losses.up") // it died midway, and runs again

	type told struct {
		Rows uint64
		Lost int64
	}
	var got told
	if err := server.Admin(t).QueryRow(t.Context(), `SELECT count(), sum(lost_requests + lost_shadows + lost_attempts + lost_unpriced_attempts)
		FROM usage_event WHERE kind = 'request'`).Scan(&got.Rows, &got.Lost); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(told{Rows: 2}, got); diff != "" {
		t.Error(diff)
	}
	apply(t, server, "0110_losses.down")
	insert(t, server)
}
