// Package report answers questions about usage: the caller's own SQL over the
// public views, and the fixed queries of the console. The organization comes from
// the caller's principal alone. What keeps tenants apart is the server: the user
// report may read the views only, and their definer's row filters show the organization
// that the id of the query begins with. No text can change that id; a setting would
// not do, since SETTINGS inside a subquery are applied even under readonly=1.
package report

import (
	"context"
	"errors"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	clickhousedb "github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gate"
)

// Bounds of one answer.
const (
	MaxRows  = 10_000
	MaxBytes = 8 << 20
)

const (
	maxAtOnce     = 16 // of this process
	maxEachAtOnce = 4  // of one organization

	// Streams last as long as who reads them: they take no place of what is answered in one piece.
	maxStreams     = 8 // of this process
	maxEachStreams = 2 // of one organization
)

// bounds are what a query may cost. How many rows it reads is not among them: the server
// counts before the row filters, so that a bound would tell how many rows others have
// (docs/decisions/001).
type bounds struct {
	seconds, memory         int
	resultRows, resultBytes int // 0: not bounded
	blockRows               int
}

// answerBounds are those of whatever is answered in one piece.
var answerBounds = bounds{seconds: 20, memory: 1 << 30, resultBytes: 64 << 20, blockRows: 8192}

// Reports asks ClickHouse as the user report.
type Reports struct {
	// answers holds no more of a result in memory than its bounds.
	answers driver.Conn
	// openStream makes a connection of one stream, which holds three blocks at most.
	openStream func() (*clickhousedb.Conn, error)
	// gate is of what is answered in one piece, streaming of results that are sent on, tails of tails.
	gate, streaming, tails *gate.Gate
}

// Open takes the URL of the user report and the database that holds the views. It does
// not wait for the server: the first query does.
func Open(url, database string) (*Reports, error) {
	answers, err := clickhousedb.OpenBounded(url, database, answerBounds.resultBytes+packetBytes)
	if err != nil {
		return nil, err
	}
	return &Reports{
		answers: answers,
		openStream: func() (*clickhousedb.Conn, error) {
			return clickhousedb.OpenStream(url, database, streamBounds.resultBytes+packetBytes, streamBlockBytes)
		},
		gate: gate.New(maxAtOnce, maxEachAtOnce), streaming: gate.New(maxStreams, maxEachStreams), tails: gate.New(maxTails, maxEachTails),
	}, nil
}

// Close ends the connections, but for those of streams, which end with them.
func (r *Reports) Close() error { return r.answers.Close() }

// packetBytes are what comes beside the rows: names of columns, progress.
const packetBytes = 16 << 20

// enter finds the caller's organization and takes one of its places.
func (r *Reports) enter(ctx context.Context) (as context.Context, leave func(), err error) {
	return enter(ctx, r.gate, errTooMany)
}

func enter(ctx context.Context, through *gate.Gate, full error) (as context.Context, leave func(), err error) {
	organization, err := organizationOf(ctx)
	if err != nil {
		return nil, nil, err
	}
	leave, ok := through.Enter(organization)
	if !ok {
		return nil, nil, full
	}
	return context.WithValue(ctx, organizationKey{}, organization), leave, nil
}

var errTooMany = fault.Because(fault.Exhausted, "too_many_queries",
	"%d queries of the organization run already, or %d in all: try again", maxEachAtOnce, maxAtOnce)

var errTooManyStreams = fault.Because(fault.Exhausted, "too_many_streams",
	"%d streams of the organization run already, or %d in all: try again when one has ended", maxEachStreams, maxStreams)

// await is enter for who can wait.
func (r *Reports) await(ctx context.Context) (as context.Context, leave func(), err error) {
	for {
		as, leave, err = r.enter(ctx)
		if !errors.Is(err, errTooMany) {
			return as, leave, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func organizationOf(ctx context.Context) (uuid.UUID, error) {
	principal, ok := authn.From(ctx)
	if !ok {
		return uuid.Nil, fault.New(fault.Unauthenticated, "nobody is signed in")
	}
	if principal.OrganizationID == uuid.Nil {
		return uuid.Nil, fault.New(fault.Denied, "reports belong to an organization, and the caller to none")
	}
	return principal.OrganizationID, nil
}

type organizationKey struct{}

// query sends sql as the organization that entered.
func query(ctx context.Context, conn driver.Conn, sql string, parameters clickhouse.Parameters, zone string, b bounds) (driver.Rows, error) {
	organization, _ := ctx.Value(organizationKey{}).(uuid.UUID)
	return conn.Query(clickhouse.Context(ctx,
		clickhouse.WithQueryID(queryID(organization)),
		clickhouse.WithSettings(settings(organization, zone, b)),
		clickhouse.WithParameters(parameters),
	), sql)
}

// queryID is what the row filters read.
func queryID(organization uuid.UUID) string {
	return organization.String() + "." + uuid.NewString()
}

// settings of every query. The text can't change them for the whole of it, under
// readonly=1; log_comment is for whoever reads the server's query log.
func settings(organization uuid.UUID, zone string, b bounds) clickhouse.Settings {
	return clickhouse.Settings{
		"readonly":                  1,
		"log_comment":               organization.String(),
		"session_timezone":          zone,
		"use_query_cache":           0,
		"use_query_condition_cache": 0,
		"max_execution_time":        b.seconds,
		"max_memory_usage":          b.memory,
		"max_rows_to_read":          0, // not the profile's: see bounds
		"max_result_rows":           b.resultRows,
		"max_result_bytes":          b.resultBytes,
		"result_overflow_mode":      "throw",
		"max_block_size":            b.blockRows,
		"max_threads":               2,
		"send_logs_level":           "none",
	}
}
