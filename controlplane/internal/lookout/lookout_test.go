package lookout

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func TestMain(m *testing.M) { os.Exit(chtest.Run(m)) }

// world has usage, and organizations with channels.
type world struct {
	t     *testing.T
	db    *postgres.DB
	usage *clickhouse.Conn
	now   time.Time
	heads map[uuid.UUID]int64
	// rows are requests that are not inserted yet.
	rows []string
	seq  int
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, db: pgtest.Open(t), usage: chtest.Shared(t).Admin(t), heads: map[uuid.UUID]int64{},
		now: time.Now().UTC().Truncate(24 * time.Hour).Add(10*time.Hour + 30*time.Minute),
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) process() *Lookout {
	return New(Config{DB: w.db, ClickHouse: w.usage, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now }})
}

func (w *world) look() {
	w.t.Helper()
	w.insert()
	w.must(w.process().look(context.Background()))
}

func (w *world) say(organization, subject uuid.UUID, body proto.Message) {
	w.t.Helper()
	_, err := pglog.New(w.db, readmodel.Project).Append(context.Background(), eventlog.Append{
		OrganizationID: organization, Head: w.heads[organization], Actor: "operator", Changes: []eventlog.Change{{Subject: subject, Body: body}},
	})
	w.must(err)
	w.heads[organization]++
}

func (w *world) organization() uuid.UUID {
	w.t.Helper()
	id := uuid.New()
	w.say(id, id, &eventv1.OrganizationCreated{Name: "o" + id.String()[:8]})
	return id
}

func (w *world) channel(organization uuid.UUID, kinds ...eventv1.AlertKind) uuid.UUID {
	w.t.Helper()
	id := uuid.New()
	w.say(organization, id, &eventv1.AlertChannelCreated{Name: "c" + id.String()[:8], Url: "https://hooks.example", Kinds: kinds})
	return id
}

// attempt of a request: its cost is SQL.
type attempt struct {
	model, cost   string
	input, output int
}

func (w *world) request(organization, project uuid.UUID, at time.Time, attempts ...attempt) {
	w.t.Helper()
	providers, models, costs, inputs, outputs := "", "", "", "", ""
	cost := "0"
	for i, a := range attempts {
		comma := map[bool]string{true: ", "}[i > 0]
		providers, models, costs = providers+comma+"'openai'", models+comma+"'"+a.model+"'", costs+comma+a.cost
		inputs, outputs = inputs+comma+fmt.Sprint(a.input), outputs+comma+fmt.Sprint(a.output)
		if a.cost == "NULL" {
			cost = "NULL"
		} else if cost != "NULL" {
			cost = a.cost
		}
	}
	w.seq++
	w.rows = append(w.rows, fmt.Sprintf(`SELECT toUUID('%s'), generateUUIDv4(), generateUUIDv4(), 'b', %d, generateUUIDv7(), toDateTime64('%s', 6, 'UTC'), toUUID('%s'),
		CAST(%s AS Nullable(Decimal(18, 9))), CAST(ifNull(%s, 0) AS Decimal(18, 9)), [%s], [%s], CAST([%s] AS Array(Nullable(Decimal(18, 9)))), [%s], [%s],
		now() + INTERVAL 1 HOUR`,
		organization, w.seq, at.UTC().Format("2006-01-02 15:04:05"), project, cost, cost, providers, models, costs, inputs, outputs))
}

// insert puts what was requested into ClickHouse, all at once.
func (w *world) insert() {
	w.t.Helper()
	w.must(w.usage.Exec(context.Background(), `INSERT INTO usage_event (organization_id, gateway_id, agent_id, boot, seq, request_id, started_at, project_id,
		cost_usd, priced_cost_usd, attempt.provider, attempt.model, attempt.cost_usd, attempt.text_input_tokens, attempt.text_output_tokens, lease_until)
		`+strings.Join(w.rows, " UNION ALL ")))
	w.rows = nil
}

// spend puts dollars on a project's hour, so many hours before the running one.
func (w *world) spend(organization, project uuid.UUID, before, dollars int) {
	w.t.Helper()
	w.request(organization, project, w.now.Truncate(time.Hour).Add(-time.Duration(before)*time.Hour+10*time.Minute),
		attempt{"gpt", fmt.Sprint(dollars), 1, 1})
}

// told are an organization's alerts with how many channels get each.
func (w *world) told(organization uuid.UUID) (all []string) {
	w.t.Helper()
	w.must(w.db.Snapshot(context.Background(), organization, func(tx pgx.Tx) error {
		rows, err := tx.Query(context.Background(), `SELECT id, kind, raised_at, body, (SELECT count(*) FROM alert_delivery d WHERE d.alert_id = alert.id) FROM alert`)
		if err != nil {
			return err
		}
		var a alert.Alert
		var channels int
		_, err = pgx.ForEachRow(rows, []any{&a.ID, &a.Kind, &a.RaisedAt, &a.Body, &channels}, func() error {
			d, err := a.Data()
			switch {
			case d.Spend != nil:
				all = append(all, fmt.Sprintf("%d at %s, usual %d, bound %d, of %d weeks, to %d", d.Spend.SpentNanoUSD/1e9, d.Spend.Hour.Format("15:04"),
					d.Spend.UsualNanoUSD/1e9, d.Spend.BoundNanoUSD/1e9, d.Spend.Weeks, channels))
			case d.Unpriced != nil:
				all = append(all, fmt.Sprintf("%s/%s %d requests, %d in, %d out, to %d", d.Unpriced.Provider, d.Unpriced.Model,
					d.Unpriced.Requests, d.Unpriced.InputTokens, d.Unpriced.OutputTokens, channels))
			}
			return err
		})
		return err
	}))
	slices.Sort(all)
	return all
}

func (w *world) tells(organization uuid.UUID, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, w.told(organization)); diff != "" {
		w.t.Errorf("told (-want +got):\n%s", diff)
	}
}

const (
	anomaly  = eventv1.AlertKind_ALERT_KIND_SPEND_ANOMALY
	unpriced = eventv1.AlertKind_ALERT_KIND_UNPRICED_USAGE
)

func TestSpend(t *testing.T) {
	w := newWorld(t)
	mine, other := w.organization(), w.organization()
	w.channel(mine)
	w.channel(mine, unpriced)
	w.channel(mine, anomaly, unpriced)
	w.channel(mine, anomaly)
	w.channel(other, anomaly)
	usual := func(organization, project uuid.UUID, hour int, dollars ...int) {
		for i, d := range dollars {
			w.spend(organization, project, hour+(i+1)*week, d)
		}
	}
	ten, steady, wild, fresh, pennies, once, shared, outage := uuid.New(), uuid.New(), uuid.New(), uuid.New(), uuid.New(), uuid.New(), uuid.New(), uuid.New()
	usual(mine, ten, 0, 20, 22, 18, 20)
	w.spend(mine, ten, 0, 45) // twice as much and more, in the running hour
	usual(mine, steady, 1, 20, 22, 18, 20)
	w.spend(mine, steady, 1, 39) // not twice as much
	usual(mine, wild, 1, 20, 120, 400, 40)
	w.spend(mine, wild, 1, 300) // as it was before
	usual(mine, fresh, 1, 20)
	w.spend(mine, fresh, 1, 900) // for a week only
	usual(mine, pennies, 1, 1, 1, 1, 1)
	w.spend(mine, pennies, 1, 10)
	usual(mine, once, 2, 20, 5000, 20) // one odd week
	w.spend(mine, once, 2, 100)
	usual(mine, outage, 24, 20, 20, 20)
	w.spend(mine, outage, 24, 45) // what came a day late
	w.spend(mine, outage, 25, 45) // too late
	usual(mine, shared, 2, 100, 100)
	usual(other, shared, 2, 1, 1)
	w.spend(mine, shared, 2, 110)
	w.spend(other, shared, 2, 110) // another tenant's
	w.look()
	want := []string{"45 at 10:00, usual 20, bound 40, of 4 weeks, to 2", "100 at 08:00, usual 20, bound 40, of 3 weeks, to 2", "45 at 10:00, usual 20, bound 40, of 3 weeks, to 2"}
	w.tells(mine, want...)
	w.tells(other, "110 at 08:00, usual 1, bound 11, of 2 weeks, to 1")
	w.spend(mine, ten, 0, 500)
	w.look()
	w.tells(mine, want...)
	var both sync.WaitGroup
	w.now = w.now.Add(time.Hour)
	usual(mine, ten, 0, 1, 1)
	w.spend(mine, ten, 0, 50)
	w.insert()
	for range 2 {
		both.Go(func() { w.must(w.process().look(context.Background())) })
	}
	both.Wait()
	w.tells(mine, append(want, "50 at 11:00, usual 0, bound 10, of 4 weeks, to 2")...)
}

func TestUnpriced(t *testing.T) {
	w := newWorld(t)
	mine, other, project := w.organization(), w.organization(), uuid.New()
	w.channel(mine, unpriced)
	w.channel(mine, anomaly)
	w.request(mine, project, w.now.Add(-time.Hour), attempt{"new", "NULL", 5, 7})
	w.request(mine, project, w.now.Add(-2*time.Hour), attempt{"new", "NULL", 10, 1}, attempt{"new", "NULL", 10, 1}, attempt{"known", "1", 1000, 1000})
	w.request(mine, project, w.now.Add(-20*time.Hour), attempt{"new", "NULL", 100, 100}) // yesterday, within 24 hours
	w.request(mine, project, w.now.Add(-30*time.Hour), attempt{"new", "NULL", 999, 999})
	w.request(mine, project, w.now.Add(-20*time.Hour), attempt{"over", "NULL", 1, 1}) // yesterday, when nobody looked
	w.request(mine, project, w.now.Add(-time.Hour), attempt{"known", "1", 1, 1})
	w.request(mine, project, w.now.Add(-time.Hour), attempt{"other", "NULL", 3, 4}, attempt{"known", "1", 1, 1})
	w.request(other, project, w.now.Add(-time.Hour), attempt{"new", "NULL", 50, 70})
	w.look()
	want := []string{"openai/new 3 requests, 125 in, 109 out, to 1", "openai/other 1 requests, 3 in, 4 out, to 1", "openai/over 1 requests, 1 in, 1 out, to 1"}
	w.tells(mine, want...)
	w.tells(other, "openai/new 1 requests, 50 in, 70 out, to 0")
	w.request(mine, project, w.now.Add(-time.Minute), attempt{"new", "NULL", 5, 7})
	w.look()
	w.tells(mine, want...)
	w.now = w.now.Add(24 * time.Hour)
	w.request(mine, project, w.now.Add(-time.Minute), attempt{"new", "NULL", 5, 7})
	w.look()
	w.tells(mine, append(want, "openai/new 1 requests, 5 in, 7 out, to 1")...)
}

// What is used between the last look of a day and midnight is told after it, and once; what was
// told before it is not told again for being among the last 24 hours.
func TestUnpriced_midnight(t *testing.T) {
	w := newWorld(t)
	mine, project := w.organization(), uuid.New()
	midnight := w.now.Truncate(24 * time.Hour)
	w.now = midnight.Add(-4 * time.Minute)
	w.request(mine, project, w.now.Add(-time.Hour), attempt{"early", "NULL", 1, 1})
	w.look()
	want := []string{"openai/early 1 requests, 1 in, 1 out, to 0"}
	w.tells(mine, want...)
	w.request(mine, project, midnight.Add(-time.Minute), attempt{"late", "NULL", 5, 7})
	want = append(want, "openai/late 1 requests, 5 in, 7 out, to 0")
	for _, after := range []time.Duration{time.Minute, 6 * time.Minute, 23 * time.Hour} {
		w.now = midnight.Add(after)
		w.request(mine, project, w.now.Add(-time.Second), attempt{"known", "1", 1, 1})
		w.look()
		w.tells(mine, want...)
	}
	w.now = midnight.Add(23*time.Hour + 5*time.Minute)
	w.request(mine, project, w.now.Add(-time.Second), attempt{"late", "NULL", 2, 3})
	w.look()
	w.tells(mine, append(want, "openai/late 2 requests, 7 in, 10 out, to 0")...)
}

// Usage of an organization that is gone tells nobody.
func TestGone(t *testing.T) {
	w := newWorld(t)
	gone := uuid.New()
	w.request(gone, uuid.New(), w.now.Add(-time.Hour), attempt{"new", "NULL", 5, 7})
	w.look()
	w.tells(gone)
}

func TestBoundOf(t *testing.T) {
	const dollar = 1_000_000_000
	for _, c := range []struct{ before, median, bound []int64 }{
		{[]int64{0, 0}, []int64{0}, []int64{10}},
		{[]int64{3, 5}, []int64{4}, []int64{14}},
		{[]int64{100, 100, 100}, []int64{100}, []int64{200}},
		{[]int64{100, 100, 100, 1 << 30}, []int64{100}, []int64{200}},
		{[]int64{10, 100, 1000, 100}, []int64{100}, []int64{100 + 333}}, // distances 0, 0, 90, 900: 45 × 7.413
	} {
		for i := range c.before {
			c.before[i] *= dollar
		}
		median, bound := boundOf(c.before)
		if median != c.median[0]*dollar || bound/dollar != c.bound[0] {
			t.Errorf("%v: median %d, bound %d", c.before, median, bound)
		}
	}
}

// Spend is read from the rollup by hours, not from rows.
func TestSpend_reads_rollups(t *testing.T) {
	w := newWorld(t)
	organization, project := uuid.New(), uuid.New()
	w.spend(organization, project, 0, 50)
	w.insert()
	for _, more := range []string{"", fmt.Sprintf(onlyOf, "'"+organization.String()+"'", "'"+project.String()+"'")} {
		rows, err := w.usage.Query(t.Context(), "EXPLAIN "+fmt.Sprintf(spendOfHours, w.now.Add(-time.Hour).Unix(), w.now.Add(time.Hour).Unix(), more)+fmt.Sprintf(onlyMuch, 1))
		w.must(err)
		plan := ""
		for rows.Next() {
			var line string
			w.must(rows.Scan(&line))
			plan += line + "\n"
		}
		w.must(rows.Close())
		if !strings.Contains(plan, "keys_hour") {
			t.Errorf("the plan is\n%s", plan)
		}
	}
}

// However many projects spent much, all of them are compared with what is usual for each.
func TestSpend_many(t *testing.T) {
	w := newWorld(t)
	const projects = 3500 // more than the text of one query can name
	organization, hour := uuid.New(), w.now.Truncate(time.Hour)
	// Every other one spent as much in each of the two weeks before.
	w.must(w.usage.Exec(t.Context(), fmt.Sprintf(`INSERT INTO usage_event (organization_id, gateway_id, agent_id, boot, seq, request_id, started_at, project_id,
			cost_usd, priced_cost_usd, lease_until)
		SELECT toUUID('%s'), generateUUIDv4(), generateUUIDv4(), 'b', number, generateUUIDv7(), toDateTime64(%d - (number %% 3) * 7 * 86400, 6, 'UTC'),
			toUUID(concat('00000000-0000-4000-8000-', leftPad(toString(intDiv(number, 3)), 12, '0'))), cost, cost, now() + INTERVAL 1 HOUR
		FROM (SELECT number, CAST(if(number %% 3 = 0 OR intDiv(number, 3) %% 2 = 0, 50, 1) AS Decimal(18, 9)) AS cost FROM numbers(%d))`,
		organization, hour.Unix(), 3*projects)))
	found, err := w.process().spend(t.Context(), w.now)
	w.must(err)
	unusual := 0
	for _, f := range found {
		if f.organization == organization {
			unusual++
		}
	}
	if unusual != projects/2 {
		t.Errorf("%d projects spent more than is usual, want %d", unusual, projects/2)
	}
}
