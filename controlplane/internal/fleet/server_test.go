package fleet_test

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
)

// server is a real handler on loopback over a world in memory.
type server struct {
	world *fleettest.World
	url   string
	stop  func() // ends the handler and waits for it
}

func serve(t *testing.T, timing fleet.Timing) *server {
	t.Helper()
	return serveWorld(t, fleettest.NewWorld(), timing)
}

// serveWorld is one process of several over a world; options change its configuration.
func serveWorld(t *testing.T, world *fleettest.World, timing fleet.Timing, options ...func(*fleet.Config)) *server {
	t.Helper()
	s := &server{world: world}
	mux := http.NewServeMux()
	listener := httptest.NewUnstartedServer(mux)
	listener.Config.Protocols = new(http.Protocols) // as the control plane listens
	listener.Config.Protocols.SetHTTP1(true)
	listener.Config.Protocols.SetUnencryptedHTTP2(true)
	listener.Start()
	t.Cleanup(listener.Close)
	s.url = listener.URL
	config := s.world.Config(s.url, slog.New(slog.DiscardHandler))
	config.Timing = timing
	for _, option := range options {
		option(&config)
	}
	handler := fleet.NewHandler(config)
	mux.Handle(handler.Mount())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = handler.Run(ctx)
	}()
	s.stop = func() { cancel(); <-done }
	t.Cleanup(s.stop)
	return s
}

// agent is an enrolled one that speaks by hand.
type agent struct {
	id     string
	key    ed25519.PrivateKey
	url    string
	client agentv1connect.AgentServiceClient
}

func (s *server) enrol(t *testing.T) *agent {
	t.Helper()
	return s.enrolWith(t, fleettest.Token)
}

func (s *server) enrolWith(t *testing.T, token string) *agent {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{key: private, url: s.url, client: agentv1connect.NewAgentServiceClient(http.DefaultClient, s.url)}
	answer, err := a.client.Enroll(t.Context(), connect.NewRequest(&agentv1.EnrollRequest{Token: token, PublicKey: public}))
	if err != nil {
		t.Fatal(err)
	}
	a.id = answer.Msg.GetAgentId()
	return a
}

func (a *agent) claims(rpc, bodyHash string) agentjwt.Claims {
	now := time.Now()
	return agentjwt.Claims{Agent: a.id, Audience: a.url, RPC: rpc, BodyHash: bodyHash, IssuedAt: now, Expiry: now.Add(30 * time.Second)}
}

func (a *agent) sign(t testing.TB, c agentjwt.Claims) string {
	t.Helper()
	text, err := agentjwt.Sign(a.key, c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (a *agent) watchRequest(t testing.TB, req *agentv1.WatchRequest) *connect.Request[agentv1.WatchRequest] {
	t.Helper()
	call := connect.NewRequest(req)
	call.Header().Set("Authorization", "Bearer "+a.sign(t, a.claims(agentv1connect.AgentServiceWatchProcedure, "")))
	return call
}

// poll calls once.
func (a *agent) poll(ctx context.Context, t *testing.T, req *agentv1.PollRequest) ([]*agentv1.WatchResponse, error) {
	t.Helper()
	call := connect.NewRequest(req)
	body, err := proto.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	call.Header().Set("Authorization", "Bearer "+a.sign(t, a.claims(agentv1connect.AgentServicePollProcedure, agentjwt.HashBody(body))))
	answer, err := a.client.Poll(ctx, call)
	if err != nil {
		return nil, err
	}
	return answer.Msg.GetMessages(), nil
}

// watch opens a stream; messages arrive on the channel until it is closed.
func (a *agent) watch(t *testing.T, req *agentv1.WatchRequest) <-chan *agentv1.WatchResponse {
	t.Helper()
	messages, _ := a.watchUntil(t, req)
	return messages
}

// watchUntil is watch with a way to cut the stream.
func (a *agent) watchUntil(t *testing.T, req *agentv1.WatchRequest) (_ <-chan *agentv1.WatchResponse, cut func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	call := a.watchRequest(t, req)
	messages := make(chan *agentv1.WatchResponse)
	go func() {
		defer close(messages)
		stream, err := a.client.Watch(ctx, call)
		if err != nil {
			return
		}
		defer stream.Close()
		for stream.Receive() {
			select {
			case messages <- stream.Msg():
			case <-ctx.Done():
				return
			}
		}
	}()
	return messages, cancel
}

// next waits for the next message.
func next(t *testing.T, messages <-chan *agentv1.WatchResponse) *agentv1.WatchResponse {
	t.Helper()
	select {
	case m, ok := <-messages:
		if !ok {
			t.Fatal("the stream ended")
		}
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came in 10 s")
	}
	return nil
}

// until drops messages up to the first that want accepts.
func until(t *testing.T, messages <-chan *agentv1.WatchResponse, want func(*agentv1.WatchResponse) bool) *agentv1.WatchResponse {
	t.Helper()
	for {
		if m := next(t, messages); want(m) {
			return m
		}
	}
}

func isSnapshot(m *agentv1.WatchResponse) bool    { return m.GetSnapshot() != nil }
func isRevocations(m *agentv1.WatchResponse) bool { return m.GetRevocations() != nil }
func isHeartbeat(m *agentv1.WatchResponse) bool   { return m.GetHeartbeat() != nil }
