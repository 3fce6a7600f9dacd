package report

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// streamBounds are of results that are sent on as they come: three blocks of rows are all
// that is held at once, and none is larger than streamBlockBytes.
var streamBounds = bounds{seconds: 300, memory: 1 << 30, resultRows: 10_000_000, resultBytes: 256 << 20, blockRows: 1024}

const (
	// streamBlockBytes are of a block of 1024 rows: 32 KiB each.
	streamBlockBytes = 32 << 20
	// chunkBytes is about how much JSON goes out at once.
	chunkBytes = 256 << 10
	// beyond the server's own limit, for an answer that it can't give.
	streamMargin = 30 * time.Second
)

// Sink takes a result as it comes. It may block: the server then waits.
type Sink interface {
	// Columns comes once, before rows.
	Columns(columns []Column) error
	// Rows takes about 256 KiB of JSON, and keeps none of it.
	Rows(rows [][]any) error
}

// Summary is of a whole result.
type Summary struct {
	Rows, Bytes int64
	Elapsed     time.Duration
}

// Stream runs one SELECT as Run does and hands the result on, up to 10 million rows
// or 256 MiB; what is larger is an Exhausted fault, and what the sink has by then is a
// part. The query ends within a second of ctx. Errors of the sink come back as they are.
func (r *Reports) Stream(ctx context.Context, q Query, sink Sink) (Summary, error) {
	if err := q.Validate(); err != nil {
		return Summary{}, err
	}
	ctx, leave, err := enter(ctx, r.streaming, errTooManyStreams)
	if err != nil {
		return Summary{}, err
	}
	defer leave()
	conn, err := r.openStream()
	if err != nil {
		return Summary{}, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(streamBounds.seconds)*time.Second+streamMargin)
	defer cancel()
	return stream(ctx, cancel, conn, q, sink)
}

func stream(ctx context.Context, cancel context.CancelFunc, conn driver.Conn, q Query, sink Sink) (Summary, error) {
	began := time.Now()
	rows, err := ask(ctx, conn, q, streamBounds)
	if err != nil {
		return Summary{}, explain(ctx, err, streamBounds)
	}
	s := &streamed{scanner: newScanner(rows, q.location()), sink: sink}
	if err := s.send(); err != nil {
		cancel() // what is left is not sent, and Close does not wait for it
		_ = rows.Close()
		return Summary{}, err
	}
	if err := rows.Err(); err != nil {
		return Summary{}, explain(ctx, err, streamBounds)
	}
	s.sum.Elapsed = time.Since(began)
	return s.sum, nil
}

// streamed is a result on its way to a sink.
type streamed struct {
	*scanner
	sink  Sink
	chunk [][]any
	size  int
	sum   Summary
}

// send returns the sink's error, or one of reading a row; the server's stays in rows.
func (s *streamed) send() error {
	if err := s.sink.Columns(s.columns); err != nil {
		return err
	}
	for s.rows.Next() {
		row, bytes, err := s.row()
		if err != nil {
			return err
		}
		s.chunk, s.size = append(s.chunk, row), s.size+bytes
		if s.size >= chunkBytes {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	if s.rows.Err() != nil {
		return nil //nolint:nilerr // the caller asks for it
	}
	return s.flush()
}

func (s *streamed) flush() error {
	if len(s.chunk) == 0 {
		return nil
	}
	err := s.sink.Rows(s.chunk)
	s.sum.Rows, s.sum.Bytes = s.sum.Rows+int64(len(s.chunk)), s.sum.Bytes+int64(s.size)
	clear(s.chunk)
	s.chunk, s.size = s.chunk[:0], 0
	return err
}
