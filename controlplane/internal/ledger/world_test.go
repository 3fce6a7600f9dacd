package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if c.at, err = time.Parse(time.RFC3339, at); err != nil {
		panic(err)
	}
}

func (c *clock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a ledger and all around it, over either store.
type world struct {
	*clock
	t      testing.TB
	ledger *Ledger
	reader *Reader
	store  store
	db     *postgres.DB // nil: in memory
	url    string
	log    *pglog.Log
	heads  map[uuid.UUID]int64
	saved  struct {
		memory memoryRows
		tables map[string][]string
	}
}

func inMemory(t testing.TB) *world {
	w := &world{clock: &clock{}, t: t}
	w.set("2026-11-27T10:00:00Z")
	w.store = newMemory(w.now)
	w.ledger, w.reader = w.process(), &Reader{store: w.store, now: w.now}
	return w
}

func inPostgres(t testing.TB) *world {
	w := &world{clock: &clock{}, t: t, heads: map[uuid.UUID]int64{}}
	w.db, w.url = pgtest.OpenURL(t)
	w.set("2026-11-27T10:00:00Z")
	w.log = pglog.New(w.db, readmodel.Project, Record)
	w.store = &table{db: w.db, now: w.now}
	w.ledger, w.reader = w.process(), &Reader{store: w.store, now: w.now}
	return w
}

// process is another one beside those that run.
func (w *world) process() *Ledger {
	return newLedger(Config{Log: slog.New(slog.DiscardHandler), Now: w.now}, w.store)
}

// stores runs a test over both.
func stores(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("memory", func(t *testing.T) { test(t, inMemory(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, inPostgres(t)) })
}

// say puts an event into the organization's log.
func (w *world) say(organization, subject uuid.UUID, body proto.Message) {
	w.t.Helper()
	var err error
	if w.db == nil {
		err = w.store.(*memory).record(eventlog.Event{OrganizationID: organization, Subject: subject, Body: body, RecordedAt: w.now()})
	} else {
		_, err = w.log.Append(context.Background(), eventlog.Append{
			OrganizationID: organization, Head: w.heads[organization], Actor: "operator", Changes: []eventlog.Change{{Subject: subject, Body: body}},
		})
		w.heads[organization]++
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

const (
	hard   = eventv1.QuotaMode_QUOTA_MODE_HARD
	soft   = eventv1.QuotaMode_QUOTA_MODE_SOFT
	shadow = eventv1.QuotaMode_QUOTA_MODE_SHADOW
	off    = eventv1.QuotaMode_QUOTA_MODE_OFF
)

// settings of a monthly budget on the organization.
func settings(amount int64, mode eventv1.QuotaMode, change ...func(*eventv1.BudgetSettings)) *eventv1.BudgetSettings {
	s := &eventv1.BudgetSettings{
		Name: uuid.NewString(), Scope: &eventv1.QuotaScope{On: eventv1.QuotaOn_QUOTA_ON_ORGANIZATION}, AmountNanoUsd: amount, Mode: mode,
		Window: calendar(eventv1.CalendarPeriod_CALENDAR_PERIOD_MONTH),
	}
	for _, c := range change {
		c(s)
	}
	return s
}

func calendar(p eventv1.CalendarPeriod) *eventv1.BudgetSettings_Calendar {
	return &eventv1.BudgetSettings_Calendar{Calendar: &eventv1.CalendarWindow{Period: p, TimeZone: "UTC"}}
}

func everyHour(s *eventv1.BudgetSettings) {
	s.Window = calendar(eventv1.CalendarPeriod_CALENDAR_PERIOD_HOUR)
}
func lifetime(s *eventv1.BudgetSettings) {
	s.Window = &eventv1.BudgetSettings_Lifetime{Lifetime: &eventv1.LifetimeWindow{}}
}
func carrying(s *eventv1.BudgetSettings)    { s.CarryOver = true }
func eachEndUser(s *eventv1.BudgetSettings) { s.Scope.On = eventv1.QuotaOn_QUOTA_ON_END_USER }
func overAnHour(s *eventv1.BudgetSettings) {
	s.Window = &eventv1.BudgetSettings_Rolling{Rolling: &eventv1.RollingWindow{DurationSeconds: 3600}}
}

func (w *world) budget(organization uuid.UUID, s *eventv1.BudgetSettings) uuid.UUID {
	w.t.Helper()
	id := uuid.New()
	w.say(organization, id, &eventv1.BudgetCreated{Settings: s})
	return id
}

func (w *world) limit(organization uuid.UUID, amount int64, metric eventv1.LimitMetric, window eventv1.LimitWindow) uuid.UUID {
	w.t.Helper()
	id := uuid.New()
	w.say(organization, id, &eventv1.LimitCreated{Settings: &eventv1.LimitSettings{
		Name: id.String(), Scope: &eventv1.QuotaScope{On: eventv1.QuotaOn_QUOTA_ON_ORGANIZATION}, Metric: metric, Amount: amount, Window: window,
		Mode: hard, WhenUnreachable: eventv1.WhenUnreachable_WHEN_UNREACHABLE_REFUSE,
	}})
	return id
}

// agent enrols one; its boots are named by it.
func (w *world) agent(organization uuid.UUID) gateway.Agent {
	w.t.Helper()
	a := gateway.Agent{ID: uuid.New(), OrganizationID: organization}
	if w.db == nil {
		m := w.store.(*memory)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.of(organization).registered[a.ID] = w.now()
		return a
	}
	token := uuid.New()
	w.say(organization, token, &eventv1.EnrolmentTokenCreated{GatewayId: uuid.NewString(), Sha256: append(token[:], token[:]...), MaxUses: 1})
	w.say(organization, a.ID, &eventv1.AgentEnrolled{GatewayId: uuid.NewString(), EnrolmentTokenId: token.String(), PublicKey: append(a.ID[:], a.ID[:]...), Name: "a"})
	w.change(organization, `UPDATE agent SET state = (state::jsonb || jsonb_build_object('enrolled_at', $2::timestamptz))::json
		WHERE organization_id = $1 AND id = '`+a.ID.String()+`'`, w.now())
	return a
}

func (w *world) change(organization uuid.UUID, statement string, args ...any) {
	w.t.Helper()
	err := w.db.InOrganization(context.Background(), organization, func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), statement, append([]any{organization}, args...)...)
		return err
	})
	if err != nil {
		w.t.Fatalf("%s: %v", statement, err)
	}
}

// kept are the tables of the ledger that a restored store has of an earlier time.
var kept = []string{"quota_account", "quota_lease", "quota_agent", "quota_ledger"}

// save puts the ledger's rows aside, and restore puts them back, as a restored store has them.
func (w *world) save(organization uuid.UUID) {
	w.t.Helper()
	if w.db == nil {
		m := w.store.(*memory)
		m.mu.Lock()
		defer m.mu.Unlock()
		w.saved.memory = m.of(organization).clone()
		return
	}
	w.saved.tables = map[string][]string{}
	err := w.db.Snapshot(context.Background(), organization, func(tx pgx.Tx) error {
		for _, table := range kept {
			rows, err := tx.Query(context.Background(), `SELECT row_to_json(r)::text FROM `+table+` r WHERE organization_id = $1`, organization)
			if err != nil {
				return err
			}
			if w.saved.tables[table], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) restore(organization uuid.UUID, epoch int64) {
	w.t.Helper()
	if w.db == nil {
		m := w.store.(*memory)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.of(organization).memoryRows, m.of(organization).restore = w.saved.memory.clone(), restore{epoch, w.now()}
		return
	}
	err := w.db.InOrganization(context.Background(), organization, func(tx pgx.Tx) error {
		if _, err := tx.Exec(context.Background(), lockLedger, organization); err != nil {
			return err
		}
		for _, table := range kept {
			if _, err := tx.Exec(context.Background(), `DELETE FROM `+table+` WHERE organization_id = $1`, organization); err != nil {
				return err
			}
			put := fmt.Sprintf(`INSERT INTO %[1]s SELECT (json_populate_record(NULL::%[1]s, one::json)).* FROM unnest($1::text[]) one`, table)
			if _, err := tx.Exec(context.Background(), put, w.saved.tables[table]); err != nil {
				return err
			}
		}
		_, err := tx.Exec(context.Background(), `INSERT INTO policy_epoch (organization_id, epoch, restored_epoch, restored_at) VALUES ($1, $2, $2, $3)
			ON CONFLICT (organization_id) DO UPDATE SET epoch = $2, restored_epoch = $2, restored_at = $3`, organization, epoch, w.now())
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// boot is an agent's nth start.
func boot(n int) string { return fmt.Sprintf("%08x-%016x", n, 7) }

// lease calls as an agent does.
func (w *world) lease(a gateway.Agent, n int, holdings ...*agentv1.Holding) []*agentv1.Grant {
	w.t.Helper()
	return w.call(a, &agentv1.LeaseRequest{Boot: boot(n), Holdings: holdings}).GetGrants()
}

func (w *world) call(a gateway.Agent, request *agentv1.LeaseRequest) *agentv1.LeaseResponse {
	w.t.Helper()
	answer, err := w.ledger.Lease(context.Background(), a, request)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(answer.GetGrants()) != len(request.GetHoldings()) || len(answer.GetShares()) != len(request.GetDemands()) {
		w.t.Fatalf("%d grants and %d shares", len(answer.GetGrants()), len(answer.GetShares()))
	}
	return answer
}

func need(quota uuid.UUID, amount int64) *agentv1.Holding {
	return &agentv1.Holding{QuotaId: quota.String(), Need: amount}
}

func want(quota uuid.UUID, amount int64) *agentv1.Holding {
	return &agentv1.Holding{QuotaId: quota.String(), Want: amount}
}

// after is what an agent tells next of a grant.
func after(quota uuid.UUID, g *agentv1.Grant, spent int64) *agentv1.Holding {
	return &agentv1.Holding{QuotaId: quota.String(), Window: g.GetWindow(), Granted: g.GetGranted(), Spent: spent, Returned: g.GetReturned()}
}

func closed(h *agentv1.Holding) *agentv1.Holding {
	h.Closed = true
	return h
}

func needing(h *agentv1.Holding, amount int64) *agentv1.Holding {
	h.Need = amount
	return h
}

func (w *world) status(organization, quota uuid.UUID) Status {
	w.t.Helper()
	all, err := w.reader.Status(context.Background(), organization, []uuid.UUID{quota})
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%d statuses, %v", len(all), err)
	}
	return all[0]
}

// stands compares what is spent, held and free.
func (w *world) stands(organization, quota uuid.UUID, spent, held, free int64) {
	w.t.Helper()
	if s := w.status(organization, quota); s.Spent != spent || s.Held != held || s.Free != free {
		w.t.Errorf("spent %d, held %d, free %d of %d; want %d, %d, %d", s.Spent, s.Held, s.Free, s.Limit, spent, held, free)
	}
}

// got compares a grant.
func got(t testing.TB, g *agentv1.Grant, granted int64, denial agentv1.Grant_Denial) {
	t.Helper()
	if g.GetGranted() != granted || g.GetDenial() != denial {
		t.Errorf("granted %d, %s; want %d, %s", g.GetGranted(), g.GetDenial(), granted, denial)
	}
}
