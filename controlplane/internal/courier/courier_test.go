package courier

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/ledger"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/vault"
	"github.com/weirhq/weir/controlplane/internal/webhook"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// What makes the test binary a process that delivers, to be killed.
const (
	databaseVariable = "WEIR_TEST_COURIER_DATABASE"
	houseVariable    = "WEIR_TEST_COURIER_HOUSE"
	// budgetVariable makes it one that settles what an organization has spent of a budget,
	// and says so: both ids.
	budgetVariable = "WEIR_TEST_COURIER_BUDGET"
)

func TestMain(m *testing.M) {
	if os.Getenv(databaseVariable) == "" {
		os.Exit(m.Run())
	}
	db, err := postgres.Open(context.Background(), os.Getenv(databaseVariable))
	if err != nil {
		panic(err)
	}
	if organization, budget, ok := strings.Cut(os.Getenv(budgetVariable), " "); ok {
		if err := spend(db, uuid.MustParse(organization), uuid.MustParse(budget), 85); err != nil {
			panic(err)
		}
		fmt.Println("spent")
		select {}
	}
	keys, err := house.Load(os.Getenv(houseVariable), slog.Default())
	if err != nil {
		panic(err)
	}
	New(Config{DB: db, Secrets: vault.New(db, keys), Sender: webhook.NewSender(anywhere), Log: slog.Default()}).Run(context.Background())
}

func anywhere(netip.Addr) bool { return true }

// world is a database with channels, and receivers.
type world struct {
	t       *testing.T
	db      *postgres.DB
	url     string
	house   string
	secrets *vault.Vault
	allow   func(netip.Addr) bool

	mu  sync.Mutex
	at  time.Time
	log *pglog.Log
	// heads of the organizations' logs.
	heads map[uuid.UUID]int64
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, at: time.Now().UTC().Truncate(time.Microsecond), heads: map[uuid.UUID]int64{}, allow: anywhere}
	w.db, w.url = pgtest.OpenURL(t)
	w.house = filepath.Join(t.TempDir(), "house.key")
	keys, err := house.Load(w.house, slog.New(slog.DiscardHandler))
	w.must(err)
	w.secrets, w.log = vault.New(w.db, keys), pglog.New(w.db, readmodel.Project)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) step(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// process is one more control plane.
func (w *world) process() *Courier {
	return New(Config{DB: w.db, Secrets: w.secrets, Sender: webhook.NewSender(w.allow), Log: slog.New(slog.DiscardHandler), Now: w.now})
}

// round lets a courier do what is due, to the end.
func (w *world) round(c *Courier) {
	w.t.Helper()
	w.must(c.look(context.Background()))
	c.running.Wait()
}

func (w *world) append(organization uuid.UUID, changes []eventlog.Change) {
	w.t.Helper()
	_, err := w.log.Append(context.Background(), eventlog.Append{OrganizationID: organization, Head: w.heads[organization], Actor: "operator", Changes: changes})
	w.must(err)
	w.heads[organization] += int64(len(changes))
}

func (w *world) within(organization uuid.UUID, fn func(*pgx.Batch)) {
	w.t.Helper()
	batch := &pgx.Batch{}
	fn(batch)
	w.must(w.db.InOrganization(context.Background(), organization, func(tx pgx.Tx) error { return tx.SendBatch(context.Background(), batch).Close() }))
}

// channel makes one with a secret, or without.
func (w *world) channel(organization uuid.UUID, url, secret string) uuid.UUID {
	w.t.Helper()
	id := uuid.New()
	w.append(organization, []eventlog.Change{{Subject: id, Body: &eventv1.AlertChannelCreated{Name: id.String(), Url: url}}})
	if secret != "" {
		w.within(organization, func(batch *pgx.Batch) {
			w.secrets.Put(batch, organization, id, alertchannel.SecretPurpose, vault.NewSecret(secret))
		})
	}
	return id
}

// raise raises a test alert and returns it.
func (w *world) raise(organization uuid.UUID, channels ...uuid.UUID) alert.Alert {
	w.t.Helper()
	a, err := alert.Test{AlertChannelID: channels[0], AlertChannel: "ops"}.Alert(organization, w.now())
	w.must(err)
	w.within(organization, func(batch *pgx.Batch) { a.Queue(batch, organization, channels, nil) })
	return a
}

// stands is a delivery with its attempts, in words.
func (w *world) stands(organization uuid.UUID, a alert.Alert, channel uuid.UUID) (state string, attempts []string, due time.Time) {
	w.t.Helper()
	id := a.DeliveryID(channel)
	w.must(w.db.InOrganization(context.Background(), organization, func(tx pgx.Tx) error {
		if err := tx.QueryRow(context.Background(), `SELECT state, due_at FROM alert_delivery WHERE organization_id = $1 AND id = $2`, organization, id).Scan(&state, &due); err != nil {
			return err
		}
		rows, err := tx.Query(context.Background(), `SELECT result, status FROM alert_attempt WHERE organization_id = $1 AND delivery_id = $2 ORDER BY number`, organization, id)
		if err != nil {
			return err
		}
		var result alert.Result
		var status int
		_, err = pgx.ForEachRow(rows, []any{&result, &status}, func() error {
			attempts = append(attempts, fmt.Sprint(resultNames[result], " ", status))
			return nil
		})
		return err
	}))
	return state, attempts, due
}

func (w *world) is(organization uuid.UUID, a alert.Alert, channel uuid.UUID, state string, attempts ...string) {
	w.t.Helper()
	gotState, got, _ := w.stands(organization, a, channel)
	if diff := cmp.Diff(attempts, got); diff != "" || gotState != state {
		w.t.Errorf("%s, want %s; attempts (-want +got):\n%s", gotState, state, diff)
	}
}

// got is a message that a receiver has.
type got struct {
	header http.Header
	body   string
}

// receiver answers with what answer says, and keeps what it got.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	all []got
}

func receive(t *testing.T, answer http.HandlerFunc) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.all = append(r.all, got{req.Header.Clone(), string(body)})
		r.mu.Unlock()
		answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) messages() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]got(nil), r.all...)
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func secretOf(b byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(b)), 32)))
}

func TestDelivery(t *testing.T) {
	w := newWorld(t)
	organization := uuid.New()
	t.Run("accepted_and_signed", func(t *testing.T) {
		hook := receive(t, status(http.StatusNoContent))
		channel := w.channel(organization, hook.URL, secretOf('a'))
		a := w.raise(organization, channel)
		c := w.process()
		w.round(c)
		w.round(c) // nothing is due any more
		all := hook.messages()
		if len(all) != 1 || !verify(secretOf('a'), all[0].header, []byte(all[0].body), w.now()) || verify(secretOf('b'), all[0].header, []byte(all[0].body), w.now()) || all[0].body != a.Body {
			t.Errorf("got %+v", all)
		}
		w.is(organization, a, channel, "accepted", "accepted 204")
	})
	t.Run("retried_with_the_same_id_and_another_timestamp", func(t *testing.T) {
		answers := []int{500, 408, 429, 200}
		var times []time.Time
		hook := receive(t, func(rw http.ResponseWriter, _ *http.Request) {
			times = append(times, w.now())
			code := answers[0]
			answers = answers[1:]
			if code == 429 {
				rw.Header().Set("Retry-After", "600")
			}
			rw.WriteHeader(code)
		})
		channel := w.channel(organization, hook.URL, secretOf('a'))
		a := w.raise(organization, channel)
		c := w.process()
		w.round(c)
		w.round(c) // too early
		if n := len(hook.messages()); n != 1 {
			t.Fatalf("%d attempts at once", n)
		}
		_, _, due := w.stands(organization, a, channel)
		if early := due.Sub(w.now()); early < firstWait/2 || early > firstWait*3/2 {
			t.Errorf("the second is due in %s", early)
		}
		w.step(firstWait * 3 / 2)
		w.round(c)
		w.step(firstWait * 3)
		w.round(c)
		_, _, due = w.stands(organization, a, channel)
		if due.Sub(w.now()) != 600*time.Second {
			t.Errorf("due in %s, the receiver said 600", due.Sub(w.now()))
		}
		w.step(599 * time.Second)
		w.round(c)
		w.is(organization, a, channel, "pending", "refused 500", "refused 408", "refused 429")
		w.step(time.Second)
		w.round(c)
		w.is(organization, a, channel, "accepted", "refused 500", "refused 408", "refused 429", "accepted 200")
		all := hook.messages()
		for i, g := range all {
			if !verify(secretOf('a'), g.header, []byte(g.body), times[i]) {
				t.Error("an attempt is not signed at its time")
			}
			if g.header.Get("webhook-id") != all[0].header.Get("webhook-id") || g.body != all[0].body {
				t.Error("attempts differ")
			}
		}
		if all[0].header.Get("webhook-timestamp") == all[3].header.Get("webhook-timestamp") {
			t.Error("the last attempt has the first one's timestamp")
		}
	})
	t.Run("what_is_not_retried", func(t *testing.T) {
		redirected := receive(t, status(200))
		for _, code := range []int{302, 400, 404, 410} {
			hook := receive(t, func(rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("Location", redirected.URL)
				rw.WriteHeader(code)
			})
			channel := w.channel(organization, hook.URL, secretOf('a'))
			a := w.raise(organization, channel)
			w.round(w.process())
			w.is(organization, a, channel, "failed", fmt.Sprint("refused ", code))
		}
		if len(redirected.messages()) > 0 {
			t.Error("a redirect was followed")
		}
	})
	t.Run("an_address_of_our_own_network", func(t *testing.T) {
		w.allow = func(netip.Addr) bool { return false }
		defer func() { w.allow = anywhere }()
		hook := receive(t, status(200))
		channel := w.channel(organization, hook.URL, secretOf('a'))
		a := w.raise(organization, channel)
		w.round(w.process())
		w.is(organization, a, channel, "failed", "address_not_allowed 0")
		if len(hook.messages()) > 0 {
			t.Error("it was reached")
		}
	})
	t.Run("a_secret_that_comes_later", func(t *testing.T) {
		hook := receive(t, status(200))
		channel := w.channel(organization, hook.URL, "")
		a := w.raise(organization, channel)
		c := w.process()
		w.round(c)
		w.is(organization, a, channel, "pending", "secret_missing 0")
		w.within(organization, func(batch *pgx.Batch) {
			w.secrets.Put(batch, organization, channel, alertchannel.SecretPurpose, vault.NewSecret(secretOf('c')))
		})
		w.step(firstWait * 2)
		w.round(c)
		w.is(organization, a, channel, "accepted", "secret_missing 0", "accepted 200")
	})
	t.Run("a_deleted_channel", func(t *testing.T) {
		hook := receive(t, status(200))
		channel := w.channel(organization, hook.URL, secretOf('a'))
		a := w.raise(organization, channel)
		w.append(organization, []eventlog.Change{{Subject: channel, Body: &eventv1.AlertChannelArchived{}}})
		w.round(w.process())
		w.is(organization, a, channel, "failed", "channel_deleted 0")
	})
	t.Run("given_up_after_a_day", func(t *testing.T) {
		gone := receive(t, status(200))
		gone.Close()
		channel := w.channel(organization, gone.URL, secretOf('a'))
		began := w.now()
		a := w.raise(organization, channel)
		c := w.process()
		for range 100 {
			w.round(c)
			state, _, due := w.stands(organization, a, channel)
			if state != "pending" {
				break
			}
			w.step(due.Sub(w.now()))
		}
		state, attempts, _ := w.stands(organization, a, channel)
		if took := w.now().Sub(began); state != "failed" || took > alert.Patience || took < alert.Patience-longestWait*3/2 || len(attempts) < 15 || len(attempts) > 40 {
			t.Errorf("%s after %s and %d attempts", state, took, len(attempts))
		}
	})
}

// However many control planes look at once, a message goes out once.
func TestDelivery_once_with_two_control_planes(t *testing.T) {
	w := newWorld(t)
	organization := uuid.New()
	hook := receive(t, func(rw http.ResponseWriter, _ *http.Request) {
		time.Sleep(2 * time.Millisecond) // a receiver takes its time
		rw.WriteHeader(http.StatusOK)
	})
	var channels []uuid.UUID
	for range 3 {
		channels = append(channels, w.channel(organization, hook.URL, secretOf('a')))
	}
	for range 20 {
		w.raise(organization, channels...)
	}
	var both sync.WaitGroup
	for _, c := range []*Courier{w.process(), w.process()} {
		both.Go(func() {
			for range 20 {
				w.round(c)
			}
		})
	}
	both.Wait()
	seen := map[string]int{}
	for _, g := range hook.messages() {
		seen[g.header.Get("webhook-id")]++
	}
	if len(seen) != 60 || len(hook.messages()) != 60 {
		t.Errorf("%d messages of 60 deliveries, %d ids", len(hook.messages()), len(seen))
	}
}

// A process that is killed while it sends, or after it was raised and before, loses nothing.
func TestDelivery_killed(t *testing.T) {
	w := newWorld(t)
	organization := uuid.New()
	hold := make(chan struct{})
	var once sync.Once
	arrived := make(chan struct{})
	hook := receive(t, func(rw http.ResponseWriter, r *http.Request) {
		first := false
		once.Do(func() { first = true })
		if first {
			close(arrived)
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}
		rw.WriteHeader(http.StatusOK)
	})
	defer close(hold)
	channel := w.channel(organization, hook.URL, secretOf('a'))
	a := w.raise(organization, channel) // by a process that is gone before it delivers

	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), databaseVariable+"="+w.url, houseVariable+"="+w.house)
	cmd.Stderr = os.Stderr
	w.must(cmd.Start())
	<-arrived
	w.must(cmd.Process.Kill())
	_ = cmd.Wait()

	w.mu.Lock()
	w.at = time.Now()
	w.mu.Unlock()
	c := w.process()
	w.round(c)
	w.is(organization, a, channel, "pending", "error 0")
	w.step(alert.Taken)
	w.round(c)
	w.is(organization, a, channel, "accepted", "error 0", "accepted 200")
	all := hook.messages()
	if len(all) != 2 || all[0].header.Get("webhook-id") != all[1].header.Get("webhook-id") || all[0].body != all[1].body {
		t.Errorf("got %d messages", len(all))
	}
}

// spend has a new agent spend of a budget for ever, through a ledger.
func spend(db *postgres.DB, organization, budget uuid.UUID, amount int64) error {
	l := ledger.New(ledger.Config{DB: db, Log: slog.New(slog.DiscardHandler)})
	agent := gateway.Agent{ID: uuid.New(), OrganizationID: organization}
	h := &agentv1.Holding{QuotaId: budget.String(), Need: amount}
	answer, err := l.Lease(context.Background(), agent, &agentv1.LeaseRequest{Boot: "00000001-a", Holdings: []*agentv1.Holding{h}})
	if err != nil {
		return err
	}
	if got := answer.GetGrants()[0].GetGranted(); got != amount {
		return fmt.Errorf("granted %d of %d", got, amount)
	}
	h = &agentv1.Holding{QuotaId: budget.String(), Window: answer.GetGrants()[0].GetWindow(), Granted: amount, Spent: amount, Closed: true}
	_, err = l.Lease(context.Background(), agent, &agentv1.LeaseRequest{Boot: "00000001-a", Holdings: []*agentv1.Holding{h}})
	return err
}

func (w *world) budget(organization uuid.UUID, mode eventv1.QuotaMode, channel uuid.UUID, percents ...int32) uuid.UUID {
	w.t.Helper()
	id := uuid.New()
	w.append(organization, []eventlog.Change{{Subject: id, Body: &eventv1.BudgetCreated{Settings: &eventv1.BudgetSettings{
		Name: "team", Scope: &eventv1.QuotaScope{On: eventv1.QuotaOn_QUOTA_ON_ORGANIZATION}, AmountNanoUsd: 100, Mode: mode,
		WhenUnreachable: eventv1.WhenUnreachable_WHEN_UNREACHABLE_ALLOW,
		Window:          &eventv1.BudgetSettings_Lifetime{Lifetime: &eventv1.LifetimeWindow{}},
		AlertPercents:   percents, AlertChannelIds: []string{channel.String()},
	}}}})
	return id
}

// thresholds are the budgets' names, modes and percents of messages that are signed.
func (w *world) thresholds(r *receiver, secret string) (all []string) {
	w.t.Helper()
	for _, g := range r.messages() {
		data, err := alert.Alert{Body: g.body}.Data()
		w.must(err)
		if data.Budget == nil || !verify(secret, g.header, []byte(g.body), w.now()) {
			w.t.Fatalf("got %s", g.body)
		}
		all = append(all, fmt.Sprintf("%s %s %d%%: %d of %d", data.Budget.Budget, data.Budget.Mode, data.Budget.Percent, data.Budget.SpentNanoUSD, data.Budget.LimitNanoUSD))
	}
	slices.Sort(all)
	return all
}

// From what agents settle at either of two control planes to the receiver.
func TestBudget(t *testing.T) {
	w := newWorld(t)
	for _, mode := range []eventv1.QuotaMode{eventv1.QuotaMode_QUOTA_MODE_HARD, eventv1.QuotaMode_QUOTA_MODE_SOFT, eventv1.QuotaMode_QUOTA_MODE_SHADOW} {
		organization := uuid.New()
		hook := receive(t, status(http.StatusOK))
		budget := w.budget(organization, mode, w.channel(organization, hook.URL, secretOf('a')), 50, 80, 100)
		var agents sync.WaitGroup
		for range 9 {
			agents.Go(func() { w.must(spend(w.db, organization, budget, 10)) })
		}
		agents.Wait()
		var both sync.WaitGroup
		w.step(time.Minute) // alerts are of the machine's clock
		for _, c := range []*Courier{w.process(), w.process()} {
			both.Go(func() { w.round(c); w.round(c) })
		}
		both.Wait()
		name := strings.ToLower(strings.TrimPrefix(mode.String(), "QUOTA_MODE_"))
		if diff := cmp.Diff([]string{"team " + name + " 50%: 50 of 100", "team " + name + " 80%: 80 of 100"}, w.thresholds(hook, secretOf('a'))); diff != "" {
			t.Errorf("got (-want +got):\n%s", diff)
		}
	}
}

// The control plane that settled the spend is killed at once; another one brings the alert.
func TestBudget_killed(t *testing.T) {
	w := newWorld(t)
	organization := uuid.New()
	hook := receive(t, status(http.StatusOK))
	budget := w.budget(organization, eventv1.QuotaMode_QUOTA_MODE_HARD, w.channel(organization, hook.URL, secretOf('a')), 80)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), databaseVariable+"="+w.url, budgetVariable+"="+organization.String()+" "+budget.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	w.must(err)
	w.must(cmd.Start())
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	w.must(cmd.Process.Kill())
	_ = cmd.Wait()
	w.step(time.Minute)
	w.round(w.process())
	if diff := cmp.Diff([]string{"team hard 80%: 85 of 100"}, w.thresholds(hook, secretOf('a'))); diff != "" {
		t.Errorf("got (-want +got):\n%s", diff)
	}
}

// Receivers that don't answer take no place of another tenant's.
func TestDelivery_slow_receivers(t *testing.T) {
	w := newWorld(t)
	hold := make(chan struct{})
	stuck := receive(t, func(http.ResponseWriter, *http.Request) { <-hold })
	slow, good := uuid.New(), uuid.New()
	for range 2 * mostOfOne {
		w.raise(slow, w.channel(slow, stuck.URL, secretOf('a')))
	}
	w.step(time.Second)
	hook := receive(t, status(200))
	channel := w.channel(good, hook.URL, secretOf('b'))
	a := w.raise(good, channel)
	c := w.process()
	w.must(c.look(t.Context()))
	for len(hook.messages()) == 0 {
		time.Sleep(time.Millisecond)
	}
	c.mu.Lock()
	if n := len(c.lanes); n < mostOfOne || n > mostOfOne+1 {
		t.Errorf("%d lanes", n)
	}
	c.mu.Unlock()
	close(hold)
	c.running.Wait()
	w.is(good, a, channel, "accepted", "accepted 200")
	if all := hook.messages(); len(all) != 1 || !verify(secretOf('b'), all[0].header, []byte(all[0].body), w.now()) || !strings.Contains(all[0].body, good.String()) || strings.Contains(all[0].body, slow.String()) {
		t.Errorf("got %+v", all)
	}
}

// Receivers that fail, and are told of one thing after the other, take no place of the
// organization's others.
func TestDelivery_failing_receivers(t *testing.T) {
	w := newWorld(t)
	organization := uuid.New()
	failing, hook := receive(t, status(500)), receive(t, status(200))
	for range mostOfOne {
		channel := w.channel(organization, failing.URL, secretOf('a'))
		for range 5 {
			w.raise(organization, channel)
		}
	}
	w.step(time.Second)
	channel := w.channel(organization, hook.URL, secretOf('b'))
	a := w.raise(organization, channel)
	c := w.process()
	w.round(c)
	w.is(organization, a, channel, "pending")
	w.round(c)
	w.is(organization, a, channel, "accepted", "accepted 200")
	if n := len(failing.messages()); n != 2*mostOfOne-1 {
		t.Errorf("%d messages to those that fail", n)
	}
}

// What another process has on its way for the first time is no failure of its receiver; what came
// back is.
func TestDue_on_its_way(t *testing.T) {
	w := newWorld(t)
	organization := uuid.New()
	channel := w.channel(organization, receive(t, status(500)).URL, secretOf('a'))
	w.raise(organization, channel)
	w.raise(organization, channel)
	w.step(time.Second)
	failed := func() bool {
		t.Helper()
		lanes, err := (table{w.db}).due(t.Context(), w.now())
		if err != nil || len(lanes) != 1 {
			t.Fatal(lanes, err)
		}
		return lanes[0].failed
	}
	if _, _, err := (table{w.db}).take(t.Context(), lane{organization, channel}, w.now()); err != nil {
		t.Fatal(err)
	}
	if failed() {
		t.Error("what is on its way is said to have failed")
	}
	w.round(w.process())
	w.step(time.Hour)
	if !failed() {
		t.Error("what failed is not said to have")
	}
}

// Lanes of receivers that failed leave half of the places to the others.
func TestPlaces(t *testing.T) {
	c := New(Config{})
	for i := range most {
		if entered := c.enter(dueLane{lane{uuid.New(), uuid.New()}, true}); entered != (i < mostFailing) {
			t.Fatalf("lane %d that failed: %t", i, entered)
		}
	}
	for i := range most {
		if entered := c.enter(dueLane{lane{uuid.New(), uuid.New()}, false}); entered != (i < most-mostFailing) {
			t.Fatalf("lane %d: %t", i, entered)
		}
	}
}

func TestWait(t *testing.T) {
	for n, mean := range map[int32]time.Duration{1: firstWait, 2: 2 * firstWait, 5: 16 * firstWait, 11: 5120 * time.Second, 12: longestWait, 64: longestWait} {
		if least, greatest := wait(n, 0), wait(n, 0.999999); least != mean/2 || greatest > mean*3/2 || greatest < mean*149/100 {
			t.Errorf("after %d: %s to %s", n, least, greatest)
		}
	}
}

func TestForget(t *testing.T) {
	w := newWorld(t)
	organization := uuid.New()
	hook := receive(t, status(200))
	channel := w.channel(organization, hook.URL, secretOf('a'))
	w.raise(organization, channel)
	c := w.process()
	w.round(c)
	count := func() (n [3]int) {
		w.must(w.db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM alert), (SELECT count(*) FROM alert_delivery), (SELECT count(*) FROM alert_attempt)`).Scan(&n[0], &n[1], &n[2])
		}))
		return n
	}
	for _, c2 := range []struct {
		after time.Duration
		want  [3]int
	}{{keepDeliveries - time.Second, [3]int{1, 1, 1}}, {2 * time.Second, [3]int{1, 0, 0}}, {keepAlerts - keepDeliveries, [3]int{0, 0, 0}}} {
		w.step(c2.after)
		w.must(c.table.forget(t.Context(), w.now()))
		if got := count(); got != c2.want {
			t.Errorf("after %s: %v, want %v", c2.after, got, c2.want)
		}
	}
}
