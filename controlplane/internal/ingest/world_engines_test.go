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

// settledOf is what the agent is told that it may drop.
func (w *world) settledOf(a testAgent) string {
	w.t.Helper()
	got, err := Settled(context.Background(), w.db, []string{a.ID.String()})
	if err != nil {
		w.t.Fatal(err)
	}
	var out seqs
	for _, r := range got[a.ID.String()] {
		out = append(out, seqRange{r.GetFirstSeq(), r.GetLastSeq()})
	}
	return out.String()
}

// outcomes are the ranges that usage_range has of an agent, stored or dead-lettered.
func (w *world) outcomes(a testAgent, dead bool) string {
	w.t.Helper()
	return w.rangesWhere(`agent_id = ? AND dead_lettered = ? AND NOT agent_revoked`, a.ID, dead)
}

// unbelieved are those that were put aside since the agent was revoked.
func (w *world) unbelieved(a testAgent) string {
	w.t.Helper()
	return w.rangesWhere(`agent_id = ? AND agent_revoked`, a.ID)
}

func (w *world) rangesWhere(condition string, args ...any) string {
	w.t.Helper()
	rows, err := w.clickhouse.Query(context.Background(), `SELECT first_seq, last_seq FROM usage_range WHERE `+condition+` ORDER BY first_seq, last_seq`, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	var out seqs
	for rows.Next() {
		var r seqRange
		if err := rows.Scan(&r.first, &r.last); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, r)
	}
	return out.String()
}

// change alters usage_event, and the table of trials as a migration would.
func (w *world) change(statement string) {
	w.t.Helper()
	for _, query := range []string{"ALTER TABLE usage_event " + statement, "CREATE OR REPLACE TABLE usage_trial AS usage_event ENGINE = Null"} {
		if err := w.clickhouse.Exec(context.Background(), query); err != nil {
			w.t.Fatal(err)
		}
	}
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
	afterTry     func(err error) error
}

func (f *fragile) try(ctx context.Context, b block) error {
	err := f.sink.try(ctx, b)
	if f.afterTry != nil {
		return f.afterTry(err)
	}
	return err
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

func (f *fragile) settle(ctx context.Context, at span, j judged, ask bool) error {
	err := f.sink.settle(ctx, at, j, ask)
	if err == nil && f.afterSettle != nil {
		return f.afterSettle()
	}
	return err
}

// dies makes a process that ends between its first insert and what follows.
func (w *world) dies(killed chan struct{}) func(*Ingest, context.CancelFunc) {
	return func(in *Ingest, kill context.CancelFunc) {
		in.sink = &fragile{sink: in.sink, afterInsert: func(block) error {
			kill()
			close(killed)
			return errKilled
		}}
	}
}

var errKilled = errors.New("killed")
