package ingest

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/segmentio/kafka-go"
)

func (w *world) number(query string, args ...any) (n int64) {
	w.t.Helper()
	err := w.db.System(context.Background(), func(tx pgx.Tx) error {
		return tx.QueryRow(context.Background(), query, args...).Scan(&n)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// deadReasons returns the reasons of the dead letters so far, in order.
func (w *world) deadReasons() []string {
	w.t.Helper()
	var out []string
	for offset := int64(0); ; {
		response, err := w.kafka.Fetch(context.Background(), &kafka.FetchRequest{
			Topic: w.config.DeadTopic, Offset: offset, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: 10 * time.Millisecond,
		})
		if err != nil || response.Error != nil {
			w.t.Fatal(err, response)
		}
		before := offset
		for {
			r, err := response.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				w.t.Fatal(err)
			}
			if r.Offset < before {
				continue
			}
			offset = r.Offset + 1
			out = append(out, string(r.Headers[0].Value))
		}
		if offset == before {
			return out
		}
	}
}

// fragile is a sink with a fault at one place.
type fragile struct {
	sink
	beforeInsert func(ctx context.Context, b block) error
	afterInsert  func(b block) error
	afterSettle  func() error
}

func (f *fragile) insert(ctx context.Context, b block) error {
	if f.beforeInsert != nil {
		if err := f.beforeInsert(ctx, b); err != nil {
			return err
		}
	}
	err := f.sink.insert(ctx, b)
	if err == nil && f.afterInsert != nil {
		return f.afterInsert(b)
	}
	return err
}

func (f *fragile) settle(ctx context.Context, at span, taken []incoming, ask bool) error {
	err := f.sink.settle(ctx, at, taken, ask)
	if err == nil && f.afterSettle != nil {
		return f.afterSettle()
	}
	return err
}

var errKilled = errors.New("killed")
