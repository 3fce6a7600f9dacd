package rerating

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/rerate"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	// querySeconds bound one statement; see holdFor.
	querySeconds = 40
	queryMemory  = 1 << 30
)

// source reads one organization's usage by the public views, as its own reports do: what
// keeps tenants apart stands under this, too.
type source struct {
	conn         driver.Conn
	organization uuid.UUID
	settings     rerate.Settings
	// own is the re-rate whose corrections don't count; uuid.Nil: all do, nothing is to be
	// stored, and labels are not read.
	own uuid.UUID
}

// window is the time in which some requests began: at or after from, before until.
type window struct{ from, until time.Time }

// identity of an attempt.
type identity struct {
	request uuid.UUID
	boot    string
	seq     int64
	number  uint16
}

func identityOf(a *rerate.Attempt) identity { return identity{a.RequestID, a.Boot, a.Seq, a.Number} }

// block are the attempts of a window, in one order.
type block struct {
	attempts []rerate.Attempt
	// there are those of them that have a correction by source.own.
	there map[identity]bool
}

const ofWindow = `
FROM attempts
WHERE request_started_at >= {from:DateTime64(6, 'UTC')} AND request_started_at < {until:DateTime64(6, 'UTC')}
  AND stored_by <= {covered:DateTime('UTC')}` + ofFilter

const ofFilter = `
  AND ({project:UUID} = toUUID('00000000-0000-0000-0000-000000000000') OR project_id = {project:UUID})
  AND ({provider:UUID} = toUUID('00000000-0000-0000-0000-000000000000') OR provider_id = {provider:UUID})
  AND ({model:String} = '' OR model = {model:String})`

const attemptsSQL = `SELECT request_started_at, request_id, boot, seq, attempt, is_last, kind, surface,
  project_id, key_id, provider_id, route, provider, model, last_model,
  policy_version, usage_source, service_tier, price_book_version, price_estimated,
  isNull(cost_usd), reinterpretAsInt64(ifNull(cost_usd, toDecimal64(0, 9))),
  text_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, audio_input_tokens,
  text_output_tokens, reasoning_tokens, audio_output_tokens%s` + ofWindow + `
ORDER BY request_started_at, request_id, boot, seq, attempt`

func (s *source) parameters(w window) clickhouse.Parameters {
	return clickhouse.Parameters{
		"from": parameterTime(w.from), "until": parameterTime(w.until), "covered": s.settings.CoveredUntil.UTC().Format(time.DateTime),
		"project": s.settings.ProjectID.String(), "provider": s.settings.ProviderID.String(), "model": tabSeparated.Replace(s.settings.Model),
	}
}

// count is how many attempts are in a window.
func (s *source) count(ctx context.Context, w window) (n int64, err error) {
	return s.number(ctx, "SELECT toInt64(count())"+ofWindow, s.parameters(w))
}

// read reads the attempts of a window, with what they cost by all corrections but its own.
func (s *source) read(ctx context.Context, w window) (b block, err error) {
	labels := ""
	if s.own != uuid.Nil {
		labels = ", labels"
	}
	rows, err := s.query(ctx, fmt.Sprintf(attemptsSQL, labels), s.parameters(w))
	if err != nil {
		return b, err
	}
	for rows.Next() {
		a, err := scan(rows, labels != "")
		if err != nil {
			_ = rows.Close()
			return b, fmt.Errorf("read an attempt: %w", err)
		}
		b.attempts = append(b.attempts, a)
	}
	if err := closed(rows); err != nil || len(b.attempts) == 0 {
		return b, err
	}
	err = s.correct(ctx, w, &b)
	return b, err
}

func scan(rows driver.Rows, labelled bool) (a rerate.Attempt, err error) {
	var last uint8
	var unpriced bool
	var cost int64
	a.Usage = &usagev1.TokenUsage{}
	u := a.Usage
	into := []any{
		&a.StartedAt, &a.RequestID, &a.Boot, &a.Seq, &a.Number, &last, &a.Kind, &a.Surface,
		&a.ProjectID, &a.KeyID, &a.ProviderID, &a.Route, &a.Provider, &a.Model, &a.LastModel,
		&a.PolicyVersion, &a.UsageSource, &a.ServiceTier, &a.PriceBook, &a.PriceEstimated,
		&unpriced, &cost,
		&u.Input, &u.CacheRead, &u.CacheWrite_5M, &u.CacheWrite_1H, &u.InputAudio, &u.Output, &u.Reasoning, &u.OutputAudio,
	}
	if labelled {
		into = append(into, &a.Labels)
	}
	err = rows.Scan(into...)
	a.Last = last == 1
	if !unpriced {
		a.RecordedNanoUSD, a.CorrectedNanoUSD = &cost, &cost
	}
	return a, err
}

const correctionsSQL = `SELECT request_id, boot, seq, attempt, sumIf(reinterpretAsInt64(difference_usd), rerate_id != {own:UUID}),
  countIf(rerate_id != {own:UUID}), countIf(rerate_id = {own:UUID})
FROM corrections
WHERE request_started_at >= {from:DateTime64(6, 'UTC')} AND request_started_at < {until:DateTime64(6, 'UTC')}` + ofFilter + `
GROUP BY request_id, boot, seq, attempt`

// correct adds the corrections of former re-rates to what attempts cost.
func (s *source) correct(ctx context.Context, w window, b *block) error {
	parameters := s.parameters(w)
	delete(parameters, "covered")
	parameters["own"] = s.own.String()
	rows, err := s.query(ctx, correctionsSQL, parameters)
	if err != nil {
		return err
	}
	differences := map[identity]int64{}
	b.there = map[identity]bool{}
	for rows.Next() {
		var id identity
		var difference int64
		var others, own uint64
		if err := rows.Scan(&id.request, &id.boot, &id.seq, &id.number, &difference, &others, &own); err != nil {
			_ = rows.Close()
			return fmt.Errorf("read a correction: %w", err)
		}
		if others > 0 {
			differences[id] = difference
		}
		if own > 0 {
			b.there[id] = true
		}
	}
	if err := closed(rows); err != nil {
		return err
	}
	for i := range b.attempts {
		a := &b.attempts[i]
		difference, corrected := differences[identityOf(a)]
		if !corrected {
			continue
		}
		if a.RecordedNanoUSD != nil {
			difference += *a.RecordedNanoUSD
		}
		a.CorrectedNanoUSD = &difference
	}
	return nil
}

const lostSQL = `SELECT toInt64(sum(lost_attempts)) FROM records
WHERE kind = 'tombstone' AND started_at >= {from:DateTime64(6, 'UTC')} AND started_at < {until:DateTime64(6, 'UTC')}
  AND stored_by <= {covered:DateTime('UTC')}`

// lost counts the attempts that tombstones sum up; they are of no project, provider or model.
func (s *source) lost(ctx context.Context) (int64, error) {
	if s.settings.ProjectID != uuid.Nil || s.settings.ProviderID != uuid.Nil || s.settings.Model != "" {
		return 0, nil
	}
	all := s.parameters(window{s.settings.From, s.settings.Until})
	for _, name := range []string{"project", "provider", "model"} {
		delete(all, name)
	}
	return s.number(ctx, lostSQL, all)
}

func (s *source) number(ctx context.Context, sql string, parameters clickhouse.Parameters) (n int64, err error) {
	rows, err := s.query(ctx, sql, parameters)
	if err != nil {
		return 0, err
	}
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			_ = rows.Close()
			return 0, fmt.Errorf("read a number: %w", err)
		}
	}
	return n, closed(rows)
}

func (s *source) query(ctx context.Context, sql string, parameters clickhouse.Parameters) (driver.Rows, error) {
	rows, err := s.conn.Query(clickhouse.Context(ctx,
		clickhouse.WithQueryID(s.organization.String()+"."+uuid.NewString()), // what the row filters read
		clickhouse.WithSettings(clickhouse.Settings{
			"readonly":                  1,
			"log_comment":               s.organization.String(),
			"session_timezone":          "UTC",
			"use_query_cache":           0,
			"use_query_condition_cache": 0,
			"max_execution_time":        querySeconds,
			"max_memory_usage":          queryMemory,
			"max_rows_to_read":          0, // not the profile's
			"max_threads":               2,
		}),
		clickhouse.WithParameters(parameters),
	), sql)
	if err != nil {
		return nil, fmt.Errorf("read usage of organization %s: %w", s.organization, err)
	}
	return rows, nil
}

func closed(rows driver.Rows) error {
	err := rows.Err()
	if closing := rows.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("read usage: %w", err)
	}
	return nil
}

func nextMonth(t time.Time) time.Time {
	year, month, _ := t.UTC().Date()
	return time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
}

// tabSeparated escapes a text as ClickHouse reads a whole parameter.
var tabSeparated = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

func parameterTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000") }
