package fleet_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/signing"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const elsewhereToken = "weiret_for-another-gateway"

// installation is an organization in a real Postgres, with the processes that serve it.
type installation struct {
	t            *testing.T
	db           *postgres.DB
	admin        *pgx.Conn
	keys         *signing.Keys
	organization uuid.UUID
	head         int64
	registries   []*prometheus.Registry
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	db, url := pgtest.OpenURL(t)
	admin, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { admin.Close(context.Background()) })
	keys, err := house.Load(filepath.Join(t.TempDir(), "house.key"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	in := &installation{t: t, db: db, admin: admin, keys: signing.New(db, keys), organization: uuid.New()}
	in.append(eventlog.Change{Subject: in.organization, Body: &eventv1.OrganizationCreated{Name: "alpha"}})
	return in
}

func (in *installation) append(changes ...eventlog.Change) {
	in.t.Helper()
	const head = `SELECT coalesce(max(head), 0) FROM organization_head WHERE organization_id = $1`
	if err := in.admin.QueryRow(in.t.Context(), head, in.organization).Scan(&in.head); err != nil {
		in.t.Fatal(err)
	}
	log := pglog.New(in.db, readmodel.Project)
	recorded, err := log.Append(in.t.Context(), eventlog.Append{OrganizationID: in.organization, Head: in.head, Changes: changes, Actor: "operator"})
	if err != nil {
		in.t.Fatal(err)
	}
	in.head += int64(len(recorded))
}

// gateway with a token for any number of agents.
func (in *installation) gateway(name, token string) {
	in.t.Helper()
	id, sum := uuid.New(), sha256.Sum256([]byte(token))
	in.append(eventlog.Change{Subject: id, Body: &eventv1.GatewayCreated{Name: name, Region: "local"}},
		eventlog.Change{Subject: uuid.New(), Body: &eventv1.EnrolmentTokenCreated{
			GatewayId: id.String(), Sha256: sum[:], MaxUses: 10, ExpiresAt: timestamppb.New(time.Now().Add(time.Hour)),
		}})
}

// process serves agents until the test ends, or it is stopped.
func (in *installation) process() *server {
	in.t.Helper()
	mux := http.NewServeMux()
	listener := httptest.NewServer(mux)
	in.t.Cleanup(listener.Close)
	log, store := slog.New(slog.DiscardHandler), readmodel.New(in.db)
	tailer := eventlog.NewTailer(pglog.NewHeads(in.db), log)
	registry := prometheus.NewRegistry()
	in.registries = append(in.registries, registry)
	config := fleettest.NewWorld().Config(listener.URL, log)
	config.Policies, config.Heads, config.Releases, config.Keys, config.Metrics = store, tailer, fleet.NewReleaseTable(in.db), in.keys, registry
	config.Authenticator = fleet.NewAuthenticator(store, []string{listener.URL}, log)
	config.Enroller = command.NewRunner(pglog.New(in.db, readmodel.Project), store)
	handler := fleet.NewHandler(config)
	mux.Handle(handler.Mount())
	ctx, cancel := context.WithCancel(context.Background())
	tailed, handled := make(chan struct{}), make(chan struct{})
	go func() { tailer.Run(ctx); close(tailed) }()
	go func() { _ = handler.Run(ctx); close(handled) }()
	s := &server{url: listener.URL, stop: func() { cancel(); <-tailed; <-handled }}
	in.t.Cleanup(s.stop)
	return s
}

// keep copies every row; back puts them there again, as tools do that restore into the
// same database: nobody notices by who serves it.
func (in *installation) keep() (back func()) {
	in.t.Helper()
	rows, err := in.admin.Query(in.t.Context(), `SELECT quote_ident(relname) FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'schema_migrations'`)
	if err != nil {
		in.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		in.t.Fatal(err)
	}
	run := func(tx pgx.Tx, statement string) error { _, err := tx.Exec(in.t.Context(), statement); return err }
	each := func(statements ...string) {
		in.t.Helper()
		err := pgx.BeginFunc(in.t.Context(), in.admin, func(tx pgx.Tx) error {
			for _, statement := range statements {
				if err := run(tx, statement); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			in.t.Fatal(err)
		}
	}
	copies, returns := []string{"CREATE SCHEMA kept"}, []string{"SET LOCAL session_replication_role = replica"}
	for _, table := range tables {
		copies = append(copies, "CREATE TABLE kept."+table+" AS TABLE public."+table)
		returns = append(returns, "DELETE FROM public."+table, "INSERT INTO public."+table+" SELECT * FROM kept."+table)
	}
	each(copies...)
	return func() { in.t.Helper(); each(returns...) }
}

func (in *installation) epoch() (epoch int64) {
	in.t.Helper()
	epoch, err := fleet.NewReleaseTable(in.db).Epoch(in.t.Context(), in.organization)
	if err != nil {
		in.t.Fatal(err)
	}
	return epoch
}

// counted over all processes that there ever were; it waits for the first.
func (in *installation) counted(result string) (all float64) {
	in.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); all == 0 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		all = in.countedNow(result) // agents may follow before it is counted
	}
	return all
}

func (in *installation) countedNow(result string) (all float64) {
	for _, registry := range in.registries {
		all += (&witnessed{registry: registry}).counted(in.t, result)
	}
	return all
}

// follows is one agent that keeps what it is sent.
type follows struct {
	*agent
	*fleettest.Follower
	confirmed bool
}

// until watches a process up to what is wanted.
func (f *follows) until(t *testing.T, s *server, what string, wanted func() bool) {
	t.Helper()
	there := *f.agent
	there.url, there.client = s.url, agentv1connect.NewAgentServiceClient(http.DefaultClient, s.url)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stream, err := there.client.Watch(ctx, there.watchRequest(t, f.Request()))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for stream.Receive() {
		if err := f.Take(stream.Msg()); err != nil {
			t.Fatal(err)
		}
		f.confirmed = f.confirmed || isHeartbeat(stream.Msg()) && !stream.Msg().GetHeartbeat().GetBehind()
		if wanted() {
			return
		}
	}
	t.Fatalf("%s: %v; it has %v", what, stream.Err(), f.Have)
}

func (f *follows) has(version int64) func() bool {
	return func() bool { return f.Have.GetVersion() == version }
}

func (f *follows) above(epoch int64) func() bool {
	return func() bool { return f.Have.GetEpoch() > epoch }
}

// Rows are put back to what they were, in the same database: identity and timeline say
// nothing. An agent with a newer release has every process follow, once.
func TestRowsPutBackAreNoticed(t *testing.T) {
	for name, after := range map[string]int{"and_served_as_they_are": 0, "and_changed_beyond_what_was_lost": 5} {
		t.Run(name, func(t *testing.T) {
			in := newInstallation(t)
			in.gateway("prod", fleettest.Token)
			in.gateway("elsewhere", elsewhereToken)
			s := in.process()
			newest, other, elsewhere := in.enrol(s, fleettest.Token), in.enrol(s, fleettest.Token), in.enrol(s, elsewhereToken)
			in.append(newKey(1))
			newest.until(t, s, "a policy", newest.has(in.head))
			elsewhere.until(t, s, "a policy", elsewhere.has(in.head))
			old := newest.Signed
			back := in.keep()
			for i := range 3 {
				in.append(newKey(10 + i))
				newest.until(t, s, "a change", newest.has(in.head))
			}
			other.until(t, s, "the newest", other.has(in.head))
			lost, lostSigned := newest.Have, newest.Signed
			s.stop()
			if back(); in.epoch() != lost.GetEpoch() {
				t.Fatalf("the epoch is %d, agents have %d: nothing is left to notice", in.epoch(), lost.GetEpoch())
			}
			in.append() // nothing, after the head that there is
			one, two := in.process(), in.process()
			for i := range after {
				in.append(newKey(100 + i))
				fresh := &follows{agent: newest.agent, Follower: fleettest.NewFollower()}
				fresh.until(t, one, "a change after the restore", fresh.has(in.head))
			}
			var wait sync.WaitGroup
			confirmed := make(chan struct{})
			ready := sync.OnceFunc(func() { close(confirmed) })
			elsewhere.confirmed = false
			wait.Go(func() {
				elsewhere.until(t, two, "an agent that lost nothing follows", func() bool {
					if elsewhere.confirmed {
						ready()
					}
					return elsewhere.Have.GetEpoch() > lost.GetEpoch()
				})
			})
			<-confirmed
			wait.Go(func() { other.until(t, two, "the other agent follows", other.above(lost.GetEpoch())) })
			newest.until(t, one, "the agent follows", newest.above(lost.GetEpoch()))
			wait.Wait()
			raised := in.epoch()
			if newest.Have.GetVersion() != in.head || newest.Have.GetEpoch() != raised || other.Have.GetEpoch() != raised || in.counted("lost") != 1 {
				t.Errorf("they have %v and %v, want version %d of epoch %d, raised once; %v times", newest.Have, other.Have, in.head, raised, in.counted("lost"))
			}
			previous := newest.Signed
			in.append(newKey(900))
			newest.until(t, one, "another change", newest.has(in.head))
			for _, genuine := range []*policyv1.SignedRelease{old, lostSigned, previous} {
				in.presents(in.process(), newest, genuine)
			}
			if in.epoch() != raised || in.counted("lost") != 1 {
				t.Errorf("old releases raised the epoch from %d to %d; %v lost", raised, in.epoch(), in.counted("lost"))
			}
		})
	}
}

// presents has an agent say that it serves some release, until it has the newest again.
func (in *installation) presents(s *server, f *follows, signed *policyv1.SignedRelease) {
	in.t.Helper()
	header := &policyv1.Release{}
	if err := proto.Unmarshal(signed.GetRelease(), header); err != nil {
		in.t.Fatal(err)
	}
	poses := &follows{agent: f.agent, Follower: &fleettest.Follower{Capability: 3, Have: position(header), Signed: signed}}
	poses.until(in.t, s, "the newest", func() bool { return proto.Equal(position(f.header(in.t)), position(poses.header(in.t))) })
}

func (f *follows) header(t *testing.T) *policyv1.Release {
	t.Helper()
	header := &policyv1.Release{}
	if err := proto.Unmarshal(f.Signed.GetRelease(), header); err != nil {
		t.Fatal(err)
	}
	return header
}

func (in *installation) enrol(s *server, token string) *follows {
	in.t.Helper()
	return &follows{agent: s.enrolWith(in.t, token), Follower: fleettest.NewFollower()}
}

// A process that runs while rows are put back is a witness itself.
func TestRowsPutBackUnderARunningProcess(t *testing.T) {
	in := newInstallation(t)
	in.gateway("prod", fleettest.Token)
	s := in.process()
	a := in.enrol(s, fleettest.Token)
	in.append(newKey(1))
	a.until(t, s, "a policy", a.has(in.head))
	back := in.keep()
	for i := range 3 {
		in.append(newKey(10 + i))
		a.until(t, s, "a change", a.has(in.head))
	}
	lost := a.Have
	back()
	in.append(newKey(99)) // is behind what was lost
	a.Signed = nil        // an agent of old
	a.until(t, s, "the agent follows", a.above(lost.GetEpoch()))
	if a.Have.GetVersion() != in.head || in.counted("lost") != 1 {
		t.Errorf("it has %v, want version %d; %v lost", a.Have, in.head, in.counted("lost"))
	}
}
