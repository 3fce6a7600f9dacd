package report

import (
	"context"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Column is one column of a result, with its ClickHouse type.
type Column struct{ Name, Type string }

// Result holds at most MaxRows rows and about MaxBytes of JSON. Values are nil, bool,
// float64, string, []any and map[string]any: integers of 64 bits and more, decimals
// and times (RFC 3339) are strings.
type Result struct {
	Columns   []Column
	Rows      [][]any
	Truncated bool
	Elapsed   time.Duration
}

// Run runs one SELECT over the public views, as the caller's organization.
func (r *Reports) Run(ctx context.Context, sql string) (Result, error) {
	if err := Check(sql); err != nil {
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
	rows, err := r.query(ctx, sql, nil)
	if err != nil {
		return Result{}, explain(ctx, err)
	}
	result, err := collect(rows, cancel)
	if err != nil {
		return Result{}, explain(ctx, err)
	}
	result.Elapsed = time.Since(began)
	return result, nil
}

func collect(rows driver.Rows, cancel context.CancelFunc) (Result, error) {
	types := rows.ColumnTypes()
	out := Result{Columns: make([]Column, len(types))}
	for i, t := range types {
		out.Columns[i] = Column{Name: t.Name(), Type: t.DatabaseTypeName()}
	}
	for size := 0; rows.Next(); {
		targets := newTargets(types)
		if err := rows.Scan(targets...); err != nil {
			_ = rows.Close()
			return Result{}, err
		}
		row, bytes := fromRow(targets, out.Columns)
		if size += bytes; len(out.Rows) == MaxRows || size > MaxBytes && len(out.Rows) > 0 {
			out.Truncated = true
			cancel()
			_ = rows.Close()
			return out, nil
		}
		out.Rows = append(out.Rows, row)
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close()
		return Result{}, err
	}
	return out, rows.Close()
}

func newTargets(types []driver.ColumnType) []any {
	targets := make([]any, len(types))
	for i, t := range types {
		targets[i] = reflect.New(t.ScanType()).Interface()
	}
	return targets
}
