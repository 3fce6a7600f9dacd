// Package report answers questions about usage: the caller's own SQL over the
// public views, and the fixed queries of the console. The organization comes from
// the caller's principal alone. What keeps tenants apart is the server: the user
// report may read the views only, and their definer's row filters show the organization
// that the id of the query begins with. No text can change that id; a setting would
// not do, since SETTINGS inside a subquery are applied even under readonly=1.
package report

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
)

// Bounds of one answer and of what it may cost.
const (
	MaxRows  = 10_000
	MaxBytes = 8 << 20

	maxSeconds     = 20
	maxMemory      = 1 << 30
	maxRowsRead    = 2_000_000_000
	maxResultBytes = 64 << 20
	maxAtOnce      = 16 // of this process
	maxEachAtOnce  = 4  // of one organization
)

// Reports asks ClickHouse as the user report.
type Reports struct {
	conn driver.Conn
	gate *gate
}

// New takes a connection of the user report, whose default database holds the views.
func New(conn driver.Conn) *Reports {
	return &Reports{conn: conn, gate: newGate(maxAtOnce, maxEachAtOnce)}
}

// enter finds the caller's organization and takes one of its places.
func (r *Reports) enter(ctx context.Context) (as context.Context, leave func(), err error) {
	principal, ok := authn.From(ctx)
	if !ok {
		return nil, nil, fault.New(fault.Unauthenticated, "nobody is signed in")
	}
	if principal.OrganizationID == uuid.Nil {
		return nil, nil, fault.New(fault.Denied, "reports belong to an organization, and the caller to none")
	}
	leave, ok = r.gate.enter(principal.OrganizationID)
	if !ok {
		return nil, nil, fault.Because(fault.Exhausted, "too_many_queries",
			"%d queries of the organization run already, or %d in all: try again", maxEachAtOnce, maxAtOnce)
	}
	return context.WithValue(ctx, organizationKey{}, principal.OrganizationID), leave, nil
}

type organizationKey struct{}

// query sends sql as the organization that entered.
func (r *Reports) query(ctx context.Context, sql string, parameters clickhouse.Parameters) (driver.Rows, error) {
	organization, _ := ctx.Value(organizationKey{}).(uuid.UUID)
	return r.conn.Query(clickhouse.Context(ctx,
		clickhouse.WithQueryID(queryID(organization)),
		clickhouse.WithSettings(settings(organization)),
		clickhouse.WithParameters(parameters),
	), sql)
}

// queryID is what the row filters read.
func queryID(organization uuid.UUID) string {
	return organization.String() + "." + uuid.NewString()
}

// settings of every query. The text can't change them for the whole of it, under
// readonly=1; log_comment is for whoever reads the server's query log.
func settings(organization uuid.UUID) clickhouse.Settings {
	return clickhouse.Settings{
		"readonly":                  1,
		"log_comment":               organization.String(),
		"use_query_cache":           0,
		"use_query_condition_cache": 0,
		"max_execution_time":        maxSeconds,
		"max_memory_usage":          maxMemory,
		"max_rows_to_read":          maxRowsRead,
		"max_result_bytes":          maxResultBytes,
		"result_overflow_mode":      "throw",
		"max_block_size":            8192,
		"max_threads":               2,
		"send_logs_level":           "none",
	}
}
