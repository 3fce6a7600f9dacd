package report

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Column is one column of a result, with its ClickHouse type.
type Column struct{ Name, Type string }

// Limit is a bound that cut a result off, in the order of weir.admin.v1.QueryLimit.
type Limit int

// Limits of a result.
const (
	NoLimit Limit = iota
	RowLimit
	ByteLimit
)

// Result holds at most MaxRows rows and about MaxBytes of JSON. Values are nil, bool,
// float64, string, []any and map[string]any: integers of 64 bits and more, decimals
// and times (RFC 3339) are strings.
type Result struct {
	Columns []Column
	Rows    [][]any
	// Bytes of the rows, about, as JSON.
	Bytes int
	// LimitedBy is what more rows were cut off by.
	LimitedBy Limit
	Elapsed   time.Duration
}

// Run runs one SELECT over the public views, as the caller's organization.
func (r *Reports) Run(ctx context.Context, q Query) (Result, error) {
	if err := q.Validate(); err != nil {
		return Result{}, err
	}
	ctx, leave, err := r.enter(ctx)
	if err != nil {
		return Result{}, err
	}
	defer leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what is left of a truncated result is not sent
	began := time.Now()
	rows, err := ask(ctx, r.answers, q, answerBounds)
	if err != nil {
		return Result{}, explain(ctx, err, answerBounds)
	}
	result, err := collect(rows, q.location(), cancel)
	if err != nil {
		return Result{}, explain(ctx, err, answerBounds)
	}
	result.Elapsed = time.Since(began)
	return result, nil
}

// ask sends a caller's text. Validate has seen it.
func ask(ctx context.Context, conn driver.Conn, q Query, b bounds) (driver.Rows, error) {
	parameters, err := q.values()
	if err != nil {
		return nil, err
	}
	return query(ctx, conn, q.SQL, parameters, zoneOr(q.TimeZone), b)
}

func collect(rows driver.Rows, in *time.Location, cancel context.CancelFunc) (Result, error) {
	scan := newScanner(rows, in)
	out := Result{Columns: scan.columns}
	for rows.Next() {
		row, bytes, err := scan.row()
		if err != nil {
			_ = rows.Close()
			return Result{}, err
		}
		if out.LimitedBy = out.limit(bytes); out.LimitedBy != NoLimit {
			cancel()
			_ = rows.Close()
			return out, nil
		}
		out.Rows, out.Bytes = append(out.Rows, row), out.Bytes+bytes
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close()
		return Result{}, err
	}
	return out, rows.Close()
}

// limit that one row more, of so many bytes, would be beyond.
func (r Result) limit(bytes int) Limit {
	switch {
	case len(r.Rows) == MaxRows:
		return RowLimit
	case r.Bytes+bytes > MaxBytes && len(r.Rows) > 0:
		return ByteLimit
	}
	return NoLimit
}

// scanner turns rows into JSON's values.
type scanner struct {
	rows    driver.Rows
	types   []driver.ColumnType
	columns []Column
	shapes  []shape
	in      *time.Location
}

func newScanner(rows driver.Rows, in *time.Location) *scanner {
	s := &scanner{rows: rows, types: rows.ColumnTypes(), in: in}
	for _, t := range s.types {
		s.columns = append(s.columns, Column{Name: t.Name(), Type: t.DatabaseTypeName()})
		s.shapes = append(s.shapes, shapeOf(t.DatabaseTypeName()))
	}
	return s
}

// row fails only where the driver has no value for what came: what is read stands in memory.
func (s *scanner) row() (row []any, bytes int, err error) {
	targets := make([]any, len(s.types))
	for i, t := range s.types {
		targets[i] = s.shapes[i].target(t.ScanType())
	}
	if err := s.rows.Scan(targets...); err != nil {
		return nil, 0, unwritable(err)
	}
	row, bytes = fromRow(targets, s.shapes, s.in)
	return row, bytes, nil
}
