package rerating_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/pricebook"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rerate"
	"github.com/weirhq/weir/controlplane/internal/rerating"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func TestMain(m *testing.M) { os.Exit(chtest.Run(m)) }

// covered is a moment until which the tests' rows were stored, and none that is late.
var covered = time.Now().Add(time.Hour).UTC().Truncate(time.Second)

// installation is both stores, and what carries re-rates out.
type installation struct {
	db      *postgres.DB
	url     string
	store   *readmodel.Store
	log     *pglog.Log
	server  *chtest.Server
	preview *rerating.Preview
}

func install(t testing.TB) *installation {
	t.Helper()
	db, url := pgtest.OpenURL(t)
	in := &installation{db: db, url: url, store: readmodel.New(db), log: pglog.New(db, readmodel.Project), server: chtest.Shared(t)}
	preview, err := rerating.NewPreview(in.server.ReportURL, chtest.Database, in.store, pricebook.Named)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = preview.Close() })
	in.preview = preview
	return in
}

// tenant is an organization with one provider of models that it has prices of its own for.
type tenant struct {
	*installation
	id, provider, override, project uuid.UUID
	head                            int64
	seq                             int64
}

const ownList = "own"

// tenant prices the model "m" at 1 $ a million tokens of input, and 4 $ of output: 1 and 4
// nano-dollars for a thousandth of a million, 1000 and 4000 for a thousand.
func (in *installation) tenant(t testing.TB) *tenant {
	t.Helper()
	n := &tenant{installation: in, id: uuid.New(), provider: uuid.New(), override: uuid.New(), project: uuid.New()}
	n.append(t, n.provider, &eventv1.ProviderCreated{Name: "openai", PriceList: ownList, BaseUrl: "https://api.example/v1"})
	n.append(t, n.override, &eventv1.PriceOverrideCreated{Settings: settings("m", 1_000_000, 4_000_000)})
	return n
}

func settings(model string, input, output int64) *eventv1.PriceOverrideSettings {
	return &eventv1.PriceOverrideSettings{PriceList: ownList, Model: model, Rates: &eventv1.Rates{Input: &input, Output: &output}}
}

// reprice changes what "m" costs, pico-dollars a token.
func (n *tenant) reprice(t testing.TB, input, output int64) {
	t.Helper()
	n.append(t, n.override, &eventv1.PriceOverrideUpdated{Settings: settings("m", input, output)})
}

func (n *tenant) append(t testing.TB, subject uuid.UUID, body proto.Message, parts ...pglog.Part) {
	t.Helper()
	_, err := n.log.AppendWith(t.Context(), eventlog.Append{
		OrganizationID: n.id, Head: n.head, Actor: "service_account:test", Changes: []eventlog.Change{{Subject: subject, Body: body}},
	}, parts...)
	if err != nil {
		t.Fatal(err)
	}
	n.head++
}

// book is the present one.
func (n *tenant) book() rerate.Book {
	return rerate.Book{Builtin: pricebook.Version, Overrides: n.head}
}

// attempt of a request; the zero one is of "m", reported, in no tier that was said.
type attempt struct {
	model, source, tier, book string
	provider                  uuid.UUID
	input, output             int64
	nanoUSD                   int64
	unpriced, estimated       bool
}

// request is a row. Its provider and model are those of its last attempt.
type request struct {
	at       time.Time
	kind     string
	surface  string
	labels   map[string]string
	project  uuid.UUID
	late     bool
	attempts []attempt
}

const insert = `INSERT INTO usage_event (organization_id, request_id, boot, seq, started_at, kind, surface, project_id, key_id, route, labels,
	provider, model, policy_version, cost_usd, priced_cost_usd, lease_until,
	attempt.provider_id, attempt.provider, attempt.model, attempt.text_input_tokens, attempt.text_output_tokens,
	attempt.usage_source, attempt.service_tier, attempt.price_book_version, attempt.price_estimated, attempt.cost_usd,
	attempt.started_after_us, attempt.duration_us, attempt.time_to_first_token_us, attempt.status, attempt.outcome,
	attempt.cache_read_tokens, attempt.cache_write_5m_tokens, attempt.cache_write_1h_tokens, attempt.audio_input_tokens,
	attempt.reasoning_tokens, attempt.audio_output_tokens, attempt.raw_usage_sha256)
SELECT '%s', '%s', 'boot', %d, '%s', '%s', '%s', '%s', '00000000-0000-0000-0000-000000000000', 'fast', %s, 'openai', '%s', %d, %s, %s, toDateTime('%s', 'UTC'),
	%s, arrayMap(x -> 'openai', p), %s, %s, %s, %s, %s, %s, %s, %s,
	arrayMap(x -> 0, p), arrayMap(x -> 0, p), arrayMap(x -> NULL, p), arrayMap(x -> 200, p), arrayMap(x -> 'ok', p),
	z, z, z, z, z, z, arrayMap(x -> '', p)
FROM (SELECT %[14]s AS p, arrayMap(x -> toInt64(0), p) AS z)`

// stored inserts a row as ingest would, and returns the request's id.
func (n *tenant) stored(t testing.TB, r request) uuid.UUID {
	t.Helper()
	n.seq++
	id := uuid.New()
	var providers, models, inputs, outputs, sources, tiers, books, estimated, costs []string
	var sum int64
	priced := true
	for _, a := range r.attempts {
		providers = append(providers, fmt.Sprintf("toUUID('%s')", orProvider(a.provider, n.provider)))
		models = append(models, quote(or(a.model, "m")))
		inputs, outputs = append(inputs, fmt.Sprintf("toInt64(%d)", a.input)), append(outputs, fmt.Sprintf("toInt64(%d)", a.output))
		sources, tiers = append(sources, quote(or(a.source, "reported"))), append(tiers, quote(or(a.tier, "unspecified")))
		books = append(books, quote(or(a.book, n.book().String())))
		estimated = append(estimated, fmt.Sprint(a.estimated))
		if a.unpriced {
			priced = false
			costs = append(costs, "CAST(NULL AS Nullable(Decimal(18, 9)))")
			continue
		}
		costs = append(costs, "CAST("+usd(a.nanoUSD)+" AS Nullable(Decimal(18, 9)))")
		sum += a.nanoUSD
	}
	cost := "NULL"
	if priced {
		cost = usd(sum)
	}
	stored := covered.Add(-30 * time.Minute)
	if r.late {
		stored = covered.Add(time.Minute)
	}
	labels := "map()"
	for name, value := range r.labels {
		labels = fmt.Sprintf("map('%s', '%s')", name, value)
	}
	last := ""
	if len(r.attempts) > 0 {
		last = or(r.attempts[len(r.attempts)-1].model, "m")
	}
	project := r.project
	if project == uuid.Nil {
		project = n.project
	}
	list := func(of []string) string { return "[" + strings.Join(of, ", ") + "]" }
	n.exec(t, fmt.Sprintf(insert, n.id, id, n.seq, r.at.UTC().Format("2006-01-02 15:04:05.000000"), or(r.kind, "request"), or(r.surface, "openai_chat"),
		project, labels, last, n.head, cost, usd(sum), stored.Format(time.DateTime),
		list(providers), list(models), list(inputs), list(outputs), list(sources), list(tiers), list(books), list(estimated), list(costs)))
	return id
}

func (n *tenant) exec(t testing.TB, statement string) {
	t.Helper()
	if err := n.server.Admin(t).Exec(t.Context(), statement); err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func orProvider(id, otherwise uuid.UUID) uuid.UUID {
	if id == uuid.Nil {
		return otherwise
	}
	return id
}

func quote(text string) string { return "'" + text + "'" }

func usd(nano int64) string { return fmt.Sprintf("toDecimal64('%d.%09d', 9)", nano/1e9, nano%1e9) }

// of are settings for everything from 2026 on, with the present prices.
func (n *tenant) of() rerate.Settings {
	return rerate.Settings{
		From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		Book: n.book(), CoveredUntil: covered, Reason: "the price was wrong",
	}
}

// begin records a re-rate.
func (n *tenant) begin(t testing.TB, s rerate.Settings) uuid.UUID {
	t.Helper()
	id := uuid.New()
	changes, err := rerate.Start(rerate.Creation{ID: id, Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	n.append(t, id, changes[0].Body, rerating.Begin)
	return id
}

// run is the re-rate as it stands.
func (n *tenant) run(t testing.TB, id uuid.UUID) (r rerating.Run) {
	t.Helper()
	err := n.store.Read(t.Context(), n.id, func(v readmodel.View) (err error) {
		r, _, err = rerating.RunOf(t.Context(), v, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (in *installation) runner(t testing.TB) *rerating.Runner {
	return rerating.New(rerating.Config{
		DB: in.db, Store: in.store, ClickHouse: in.server.Admin(t), Builtin: pricebook.Named, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Every: 10 * time.Millisecond,
	})
}

// rerated carries a re-rate out and returns what came of it.
func (n *tenant) rerated(t testing.TB, s rerate.Settings) rerating.Run {
	t.Helper()
	id := n.begin(t, s)
	n.carryOut(t, id)
	r := n.run(t, id)
	if r.State != rerating.Done {
		t.Fatalf("it is %s: %s", r.State, r.Failure)
	}
	return r
}

func (n *tenant) carryOut(t testing.TB, id uuid.UUID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.runner(t).Run(ctx)
	}()
	for ctx.Err() == nil && n.run(t, id).State == rerating.Running {
		time.Sleep(10 * time.Millisecond) // another process' state, in Postgres
	}
	cancel()
	<-done
}

// text is the one row of a query by the tenant's own rights, its columns between bars.
func (n *tenant) text(t testing.TB, columns, from string) string {
	t.Helper()
	parts := strings.Split(columns, ", ") // in a tuple, with a semicolon
	for i := range parts {
		parts[i] = "ifNull(toString(" + strings.ReplaceAll(parts[i], ";", ",") + "), 'NULL')"
	}
	ctx := clickhouse.Context(t.Context(), clickhouse.WithQueryID(n.id.String()+"."+uuid.NewString()))
	var got string
	sql := "SELECT concat(" + strings.Join(parts, ", '|', ") + ", '') FROM weir." + from
	if err := n.server.Report(t).QueryRow(ctx, sql).Scan(&got); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return got
}

func (n *tenant) is(t testing.TB, columns, from, want string) {
	t.Helper()
	if got := n.text(t, columns, from); got != want {
		t.Errorf("SELECT %s FROM %s: %s, want %s", columns, from, got, want)
	}
}

type rates = eventv1.Rates

func one(pico int64) *int64 { return &pico }

func overrideOf(model string, change func(*rates)) *eventv1.PriceOverrideCreated {
	s := settings(model, 1_000_000, 4_000_000)
	change(s.Rates)
	return &eventv1.PriceOverrideCreated{Settings: s}
}
