package conduct_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/conduct"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// installation is one organization with one gateway whose changes are staged, on a
// real database, served by any number of processes.
type installation struct {
	t      *testing.T
	db     *postgres.DB
	store  *readmodel.Store
	runner *command.Runner
	url    string           // of the database
	world  *fleettest.World // has the signing keys
	front  *front

	organization, gateway, provider, route uuid.UUID
}

// quick is a rollout in seconds: one agent, 30 %, all.
var quick = rollout.Settings{
	Strategy: eventv1.RolloutStrategy_ROLLOUT_STRATEGY_CANARY, Steps: []int32{30}, BakeSeconds: 1, MaxErrorRise: 5, MinRequests: 100,
}

func install(t *testing.T, settings rollout.Settings) *installation {
	t.Helper()
	db, url := pgtest.OpenURL(t)
	in := &installation{
		t: t, db: db, url: url, world: fleettest.NewWorld(), front: newFront(t),
		organization: uuid.New(), gateway: uuid.New(), provider: uuid.New(), route: uuid.New(),
	}
	in.store = readmodel.New(in.db)
	in.runner = command.NewRunner(pglog.New(in.db, readmodel.Project), in.store)
	token := sha256.Sum256([]byte(fleettest.Token))
	// Before there is an organization, nobody but the operator may do anything.
	in.commit(
		eventlog.Change{Subject: in.organization, Body: &eventv1.OrganizationCreated{Name: "alpha"}},
		eventlog.Change{Subject: in.gateway, Body: &eventv1.GatewayCreated{Name: "prod", Region: "local"}},
		eventlog.Change{Subject: uuid.New(), Body: &eventv1.EnrolmentTokenCreated{
			GatewayId: in.gateway.String(), Sha256: token[:], MaxUses: 1000, ExpiresAt: timestamppb.New(time.Now().Add(time.Hour)),
		}},
		eventlog.Change{Subject: in.provider, Body: &eventv1.ProviderCreated{
			Name: "p", Dialect: eventv1.Dialect_DIALECT_OPENAI, BaseUrl: "http://127.0.0.1:1/v1", CredentialRef: "env://WEIR_SECRET_P",
		}},
		eventlog.Change{Subject: in.route, Body: &eventv1.RouteCreated{
			Name: "chat", Strategy: eventv1.Strategy_STRATEGY_SINGLE, Targets: in.routed("first").GetTargets(),
		}},
		eventlog.Change{Subject: in.gateway, Body: &eventv1.GatewayRolloutSet{Rollout: settings.ToProto()}},
	)
	return in
}

func (in *installation) routed(model string) *eventv1.RouteSettings {
	return &eventv1.RouteSettings{
		Name: "chat", Strategy: eventv1.Strategy_STRATEGY_SINGLE, Targets: []*eventv1.Target{{ProviderId: in.provider.String(), Model: model}},
	}
}

// commit records changes and returns the version of the last.
func (in *installation) commit(changes ...eventlog.Change) int64 {
	in.t.Helper()
	return in.decide(func(context.Context, readmodel.View) ([]eventlog.Change, error) { return changes, nil })
}

func (in *installation) decide(decide func(context.Context, readmodel.View) ([]eventlog.Change, error)) int64 {
	in.t.Helper()
	origin := command.Origin{Organization: in.organization, Actor: "operator", Operator: true}
	recorded, err := in.runner.Commit(context.Background(), origin, func(ctx context.Context, v readmodel.View) (command.Plan, error) {
		changes, err := decide(ctx, v)
		return command.Plan{Changes: changes, Parts: []pglog.Part{conduct.NoteBaselines}}, err
	})
	if err != nil {
		in.t.Fatal(err)
	}
	if len(recorded) == 0 {
		return 0
	}
	return recorded[len(recorded)-1].Version
}

// reroute changes what is staged.
func (in *installation) reroute(model string) int64 {
	in.t.Helper()
	return in.commit(eventlog.Change{Subject: in.route, Body: &eventv1.RouteUpdated{Settings: in.routed(model)}})
}

func (in *installation) addKey(text string) (id uuid.UUID) {
	in.t.Helper()
	sum := sha256.Sum256([]byte(text))
	id = uuid.New()
	in.commit(eventlog.Change{Subject: id, Body: &eventv1.KeyCreated{ProjectId: uuid.NewString(), Name: text, Sha256: sum[:], Suffix: "abcd"}})
	return id
}

func (in *installation) revoke(key uuid.UUID) {
	in.t.Helper()
	in.commit(eventlog.Change{Subject: key, Body: &eventv1.KeyRevoked{Reason: "test", RevokedAt: timestamppb.Now()}})
}

// steer commits what somebody decides about the gateway.
func (in *installation) steer(decide func(conduct.Scene) ([]eventlog.Change, error)) int64 {
	in.t.Helper()
	return in.decide(func(ctx context.Context, v readmodel.View) ([]eventlog.Change, error) {
		scene, err := conduct.See(ctx, v, in.gateway)
		if err != nil {
			return nil, err
		}
		return decide(scene)
	})
}

func (in *installation) goBack(version int64) int64 {
	in.t.Helper()
	return in.steer(func(s conduct.Scene) ([]eventlog.Change, error) {
		return s.Stage.GoBack(uuid.New(), in.gateway, version, "")
	})
}

func (in *installation) stage() rollout.Stage {
	in.t.Helper()
	var scene conduct.Scene
	err := in.store.Read(context.Background(), in.organization, func(v readmodel.View) (err error) {
		scene, err = conduct.See(context.Background(), v, in.gateway)
		return err
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return scene.Stage
}

// count counts rows of the organization.
func (in *installation) count(of string) (n int) {
	in.t.Helper()
	err := in.db.InOrganization(context.Background(), in.organization, func(tx pgx.Tx) error {
		return tx.QueryRow(context.Background(), `SELECT count(*) FROM `+of).Scan(&n)
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return n
}

// events are those of a kind, by their bodies.
func (in *installation) events(kind string) (found []eventlog.Event) {
	in.t.Helper()
	err := in.store.Read(context.Background(), in.organization, func(v readmodel.View) (err error) {
		found, err = pglog.FindIn(context.Background(), v.Tx, v.Organization, eventlog.Filter{Kinds: []string{kind}}, false, 1000)
		return err
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return found
}

// process is one control plane: it answers agents and leads.
type process struct {
	handler http.Handler
	kill    func()
}

// start runs another process behind the front; kill ends it as it is.
func (in *installation) start() *process {
	in.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	handler, wait := controlPlane(ctx, in.db, in.store, in.runner, in.world, in.front.URL)
	p := &process{handler: handler}
	p.kill = sync.OnceFunc(func() {
		in.front.leave(p)
		cancel()
		wait()
	})
	in.front.join(p)
	in.t.Cleanup(p.kill)
	return p
}

// controlPlane answers agents, who know it under url, and leads, until ctx ends.
func controlPlane(ctx context.Context, db *postgres.DB, store *readmodel.Store, runner *command.Runner, world *fleettest.World, url string) (handler http.Handler, wait func()) {
	log := slog.New(slog.DiscardHandler)
	tailer := eventlog.NewTailer(pglog.NewHeads(db), log)
	config := world.Config(url, log)
	config.Policies, config.Heads, config.Releases = store, tailer, fleet.NewReleaseTable(db)
	config.Reports, config.Revocations, config.Enroller = fleet.NewReportTable(db), store, runner
	config.Authenticator = fleet.NewAuthenticator(store, []string{url}, log)
	config.Timing = fleet.Timing{Flush: 50 * time.Millisecond, Coalesce: 10 * time.Millisecond}
	agents := fleet.NewHandler(config)
	mux := http.NewServeMux()
	mux.Handle(agents.Mount())
	leader := conduct.New(conduct.Config{Store: store, Runner: runner, Log: log, Every: 100 * time.Millisecond})
	var running sync.WaitGroup
	running.Go(func() { tailer.Run(ctx) })
	running.Go(func() { leader.Run(ctx) })
	running.Go(func() { _ = agents.Run(ctx) })
	return mux, running.Wait
}

// front is the one address of all processes; each call goes to the next one.
type front struct {
	*httptest.Server
	mu        sync.Mutex
	processes []*process
	next      int
}

func newFront(t *testing.T) *front {
	f := &front{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := f.pick(); p != nil {
			p.handler.ServeHTTP(w, r)
			return
		}
		http.Error(w, "nobody is there", http.StatusBadGateway)
	}))
	t.Cleanup(func() { f.CloseClientConnections(); f.Close() })
	return f
}

func (f *front) pick() *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.processes) == 0 {
		return nil
	}
	f.next++
	return f.processes[f.next%len(f.processes)]
}

func (f *front) join(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.processes = append(f.processes, p)
}

func (f *front) leave(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.processes = slices.DeleteFunc(f.processes, func(other *process) bool { return other == p })
}

// eventually waits up to 20 s.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

func bodiesOf[M proto.Message](events []eventlog.Event) []M {
	var bodies []M
	for _, e := range events {
		bodies = append(bodies, e.Body.(M))
	}
	return bodies
}
