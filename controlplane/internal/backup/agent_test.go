package backup_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// An agent that saw more than the backup follows the restored policy: its epoch is
// higher, its version and content are those of the backup.
func TestRestore_agents_follow(t *testing.T) {
	world := fleettest.NewWorld() // its signing key is the installation's
	db := pgtest.Open(t)
	organization, gateway := uuid.New(), uuid.New()
	token := sha256.Sum256([]byte(fleettest.Token))
	extend(t, db, organization, 0,
		eventlog.Change{Subject: organization, Body: &eventv1.OrganizationCreated{Name: "alpha"}},
		eventlog.Change{Subject: gateway, Body: &eventv1.GatewayCreated{Name: "prod", Region: "local"}},
		eventlog.Change{Subject: uuid.New(), Body: &eventv1.EnrolmentTokenCreated{
			GatewayId: gateway.String(), Sha256: token[:], MaxUses: 1, ExpiresAt: timestamppb.New(time.Now().Add(time.Hour)),
		}})
	url := serve(t, db, world)
	agent := enrol(t, url)
	extend(t, db, organization, 4, newKey("before"))
	agent.follow(t, url, organization, 5)
	before := agent.has

	path := save(t, db)
	extend(t, db, organization, 5, newKey("after"))
	agent.follow(t, url, organization, 6)
	if bytes.Equal(agent.has.GetRoot(), before.GetRoot()) {
		t.Fatal("the key made no difference")
	}

	into := pgtest.Create(t)
	if err := restore(t, path, into); err != nil {
		t.Fatal(err)
	}
	restored, err := postgres.Open(t.Context(), into)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(restored.Close)
	lost := agent.has
	agent.follow(t, serve(t, restored, world), organization, 5)
	if agent.has.GetEpoch() <= lost.GetEpoch() {
		t.Errorf("epoch %d after %d", agent.has.GetEpoch(), lost.GetEpoch())
	}
	if !bytes.Equal(agent.has.GetRoot(), before.GetRoot()) {
		t.Error("the content is not that of the backup")
	}
}

func newKey(name string) eventlog.Change {
	sum := sha256.Sum256([]byte(name))
	return eventlog.Change{Subject: uuid.New(), Body: &eventv1.KeyCreated{ProjectId: uuid.NewString(), Name: name, Sha256: sum[:], Suffix: "abcd"}}
}

// serve answers agents from a database.
func serve(t *testing.T, db *postgres.DB, world *fleettest.World) string {
	t.Helper()
	mux := http.NewServeMux()
	listener := httptest.NewServer(mux)
	log := slog.New(slog.DiscardHandler)
	store := readmodel.New(db)
	tailer := eventlog.NewTailer(pglog.NewHeads(db), log)
	config := world.Config(listener.URL, log)
	config.Policies, config.Heads, config.Releases = store, tailer, fleet.NewReleaseTable(db)
	config.Authenticator = fleet.NewAuthenticator(store, []string{listener.URL}, log)
	config.Enroller = command.NewRunner(pglog.New(db, readmodel.Project), store)
	handler := fleet.NewHandler(config)
	mux.Handle(handler.Mount())
	ctx, cancel := context.WithCancel(context.Background())
	tailed, handled := make(chan struct{}), make(chan struct{})
	go func() { tailer.Run(ctx); close(tailed) }()
	go func() { _ = handler.Run(ctx); close(handled) }()
	t.Cleanup(func() { cancel(); <-tailed; <-handled; listener.Close() })
	return listener.URL
}

// agent is an enrolled one that remembers what it was sent last.
type agent struct {
	id      string
	private ed25519.PrivateKey
	has     *policyv1.Release
	revoked int64
}

func enrol(t *testing.T, url string) *agent {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := agentv1connect.NewAgentServiceClient(http.DefaultClient, url).
		Enroll(t.Context(), connect.NewRequest(&agentv1.EnrollRequest{Token: fleettest.Token, PublicKey: public}))
	if err != nil {
		t.Fatal(err)
	}
	return &agent{id: answer.Msg.GetAgentId(), private: private}
}

// follow watches, saying what it has, until it is sent a policy of this version.
func (a *agent) follow(t *testing.T, url string, organization uuid.UUID, version int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	now := time.Now()
	signed, err := agentjwt.Sign(a.private, agentjwt.Claims{
		Agent: a.id, Audience: url, RPC: agentv1connect.AgentServiceWatchProcedure, IssuedAt: now, Expiry: now.Add(30 * time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	request := &agentv1.WatchRequest{}
	if a.has != nil {
		request.Have = &agentv1.PolicyPosition{Epoch: a.has.GetEpoch(), Version: a.has.GetVersion(), Root: a.has.GetRoot(), RevocationVersion: a.revoked}
	}
	call := connect.NewRequest(request)
	call.Header().Set("Authorization", "Bearer "+signed)
	stream, err := agentv1connect.NewAgentServiceClient(http.DefaultClient, url).Watch(ctx, call)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for stream.Receive() {
		snapshot := stream.Msg().GetSnapshot()
		if snapshot == nil {
			continue
		}
		release := &policyv1.Release{}
		if err := proto.Unmarshal(snapshot.GetRelease().GetRelease(), release); err != nil {
			t.Fatal(err)
		}
		if release.GetOrganizationId() != organization.String() {
			t.Fatalf("a policy of %s", release.GetOrganizationId())
		}
		a.has = release
		if release.GetVersion() == version {
			return
		}
	}
	t.Fatalf("no policy of version %d came: %v, has %d/%d", version, stream.Err(), a.has.GetEpoch(), a.has.GetVersion())
}
