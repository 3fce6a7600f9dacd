package rerating_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/pricebook"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rerating"
)

// many inserts rows of two attempts each at 1 $ a million tokens, spread over 100 days.
const many = `INSERT INTO usage_event (organization_id, request_id, boot, seq, started_at, kind, project_id, route, labels, provider, model, policy_version,
	cost_usd, priced_cost_usd, lease_until,
	attempt.provider_id, attempt.provider, attempt.model, attempt.text_input_tokens, attempt.text_output_tokens, attempt.usage_source, attempt.service_tier,
	attempt.price_book_version, attempt.price_estimated, attempt.cost_usd, attempt.started_after_us, attempt.duration_us, attempt.time_to_first_token_us,
	attempt.status, attempt.outcome, attempt.cache_read_tokens, attempt.cache_write_5m_tokens, attempt.cache_write_1h_tokens, attempt.audio_input_tokens,
	attempt.reasoning_tokens, attempt.audio_output_tokens, attempt.raw_usage_sha256)
WITH toUUID('%s') AS of, range(2) AS p, arrayMap(x -> toInt64(0), p) AS z, toInt64(1 + rand(1) %% 5000) AS tokens,
	CAST(reinterpret(tokens * 1000, 'Decimal(18, 9)') AS Decimal(18, 9)) AS cost
SELECT of, generateUUIDv4(), 'boot', number, toDateTime64('2026-01-05 00:00:00', 6, 'UTC') + toIntervalMicrosecond(number * %d), 'request', of, 'fast',
	map('team', toString(number %% 5)), 'openai', 'm', %d, cost + cost, cost + cost, toDateTime('%s', 'UTC'),
	arrayMap(x -> toUUID('%s'), p), arrayMap(x -> 'openai', p), arrayMap(x -> 'm', p), arrayMap(x -> tokens, p), z, arrayMap(x -> 'reported', p),
	arrayMap(x -> 'unspecified', p), arrayMap(x -> '%s', p), arrayMap(x -> false, p), arrayMap(x -> cost, p), z, z, arrayMap(x -> NULL, p),
	arrayMap(x -> 200, p), arrayMap(x -> 'ok', p), z, z, z, z, z, z, arrayMap(x -> '', p)
FROM numbers(%d, %d) SETTINGS max_partitions_per_insert_block = 0`

// lots stores rows of 2 attempts, over 100 days.
func (n *tenant) lots(t testing.TB, rows int) {
	t.Helper()
	apart := int64(100*24*time.Hour/time.Microsecond) / int64(rows)
	for from := 0; from < rows; from += 50_000 {
		n.exec(t, fmt.Sprintf(many, n.id, apart, n.head, covered.Add(-time.Minute).Format(time.DateTime), n.provider, n.book(), from, min(rows-from, 50_000)))
	}
}

const (
	childVariable = "WEIR_TEST_RERATE_CHILD"
	killedRows    = 5_000
)

// TestKilled_child is the process that TestRerate_killed kills: it carries re-rates out.
func TestKilled_child(t *testing.T) {
	address := os.Getenv(childVariable)
	if address == "" {
		return // not asked for
	}
	db, err := postgres.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.OpenWriter(os.Getenv(childVariable+"_CLICKHOUSE"), chtest.Database, "")
	if err != nil {
		t.Fatal(err)
	}
	rerating.New(rerating.Config{
		DB: db, Store: readmodel.New(db), ClickHouse: conn, Builtin: pricebook.Named, Log: slog.Default(), Every: time.Millisecond,
	}).Run(context.Background())
}

// A process is killed again and again, whatever it is at: each attempt gets one correction.
func TestRerate_killed(t *testing.T) {
	n := install(t).tenant(t)
	n.lots(t, killedRows)
	n.reprice(t, 3_000_000, 4_000_000)
	id := n.begin(t, n.of())
	kills, life := 0, 400*time.Millisecond
	for was := n.run(t, id); was.State == rerating.Running; kills++ {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled_child$")
		child.Env = append(os.Environ(), childVariable+"="+n.url, childVariable+"_CLICKHOUSE="+n.server.AdminURL)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(life/2 + rand.N(life)) // until it is in the middle of something
		_ = child.Process.Kill()
		_ = child.Wait()
		is := n.run(t, id)
		if life = life * 3 / 4; is.Reached.Equal(was.Reached) {
			life *= 2 // it starts as slowly as the machine is busy
		}
		life, was = min(max(life, 200*time.Millisecond), 10*time.Second), is
	}
	t.Logf("killed %d times", kills)
	n.correctedOnce(t, id)
}

// Who dies between the insert and the note of it leaves corrections that nobody knows of. They
// are not stored again: neither by whoever goes on, nor by what the dead one had under way.
func TestRerate_dies_before_it_is_noted(t *testing.T) {
	n := install(t).tenant(t)
	for i := range 6 {
		n.stored(t, request{at: noon.Add(time.Duration(i) * 10 * time.Minute), attempts: []attempt{{input: 1000, nanoUSD: 1000_000}}})
	}
	n.reprice(t, 3_000_000, 4_000_000)
	s := n.of()
	s.From, s.Until = noon, noon.Add(3*time.Hour)
	id := n.begin(t, s)
	// Its insert, and the same of one that was taken for dead.
	if err := n.runner(t).DieBeforeNoting(t.Context(), n.id, id, 2); err != nil {
		t.Fatal(err)
	}
	n.is(t, "count(), uniqExact(request_id)", "corrections", "6|6")
	n.is(t, "sum(cost_usd), sum(corrected_cost_usd)", "spend_daily", "0.006|0.018")
	// Postgres may be put back to when another window was planned.
	if err := n.db.InOrganization(t.Context(), n.id, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE rerate_run SET planned_until = reached_at + interval '25 minutes' WHERE id = $1", id)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	n.carryOut(t, id)
	if total := n.run(t, id).Tally.Total; total.Attempts != 6 || total.Corrected != 6 || total.OldNano != 6_000_000 || total.NewNano != 18_000_000 {
		t.Errorf("%+v", total)
	}
	n.is(t, "count(), uniqExact(request_id)", "corrections", "6|6")
}

// correctedOnce: of lots at 1 $ a million, which is 3 $ by now.
func (n *tenant) correctedOnce(t *testing.T, id uuid.UUID) {
	t.Helper()
	n.is(t, "count(), uniqExact((request_id; attempt)), uniqExact(rerate_id), any(rerate_id)", "corrections", fmt.Sprintf("%d|%[1]d|1|%s", 2*killedRows, id))
	n.is(t, "sum(corrected_cost_usd) = 3 * sum(cost_usd), sum(attempts)", "spend_daily", fmt.Sprintf("1|%d", 2*killedRows))
	total := n.run(t, id).Tally.Total
	if total.Attempts != 2*killedRows || total.Corrected != total.Attempts || total.NewNano != 3*total.OldNano {
		t.Errorf("%+v", total)
	}
}

// Windows of one process between those of another, both at once.
func TestRerate_by_two(t *testing.T) {
	n := install(t).tenant(t)
	n.lots(t, killedRows)
	n.reprice(t, 3_000_000, 4_000_000)
	id := n.begin(t, n.of())
	ctx, cancel := context.WithCancel(t.Context())
	other := make(chan struct{})
	go func() {
		defer close(other)
		n.runner(t).Run(ctx)
	}()
	n.carryOut(t, id)
	cancel()
	<-other
	n.correctedOnce(t, id)
}

// BenchmarkRerate is a million attempts, in as many rows as half of them.
func BenchmarkRerate(b *testing.B) {
	n := install(b).tenant(b)
	n.lots(b, 500_000)
	for i := range b.N {
		n.reprice(b, int64(2+i)*1_000_000, 4_000_000)
		b.ResetTimer()
		began := time.Now()
		if _, err := n.preview.Differences(b.Context(), n.id, n.of(), nil); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/dry-run")
		began = time.Now()
		total := n.rerated(b, n.of()).Tally.Total
		b.ReportMetric(time.Since(began).Seconds(), "s/rerate")
		if total.Corrected != 1_000_000 {
			b.Fatalf("%+v", total)
		}
	}
}
