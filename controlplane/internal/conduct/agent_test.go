package conduct_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"net/http"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// agent speaks the contract by hand: it serves what it is sent, if it likes it, and
// says so. Whatever happens, what it is sent must be newer than what it was sent before.
type agent struct {
	t       *testing.T
	id      uuid.UUID
	url     string
	private ed25519.PrivateKey
	client  agentv1connect.AgentServiceClient
	stop    func()

	mu      sync.Mutex
	have    *agentv1.PolicyPosition
	sent    position // the newest that it ever was sent
	roots   map[position]string
	model   string   // of the route that it serves
	models  []string // of the routes of every policy that came
	keys    map[[32]byte]bool
	revoked map[[32]byte]bool
	refuse  map[string]bool // models
	reasons []string
	// confirmed: the control plane said that there is nothing newer.
	confirmed bool
	rejects   int64
	rejected  []byte
	served    struct{ requests, failures int64 }
}

type position struct{ epoch, version int64 }

func (p position) after(other position) bool {
	return p.epoch > other.epoch || p.epoch == other.epoch && p.version > other.version
}

// join enrols an agent and starts it.
func (in *installation) join(refuses ...string) *agent {
	in.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		in.t.Fatal(err)
	}
	a := &agent{
		t: in.t, url: in.front.URL, private: private, client: agentv1connect.NewAgentServiceClient(http.DefaultClient, in.front.URL),
		keys: map[[32]byte]bool{}, revoked: map[[32]byte]bool{}, refuse: map[string]bool{},
		roots: map[position]string{},
	}
	for _, model := range refuses {
		a.refuse[model] = true
	}
	answer, err := a.client.Enroll(in.t.Context(), connect.NewRequest(&agentv1.EnrollRequest{Token: fleettest.Token, PublicKey: public}))
	if err != nil {
		in.t.Fatal(err)
	}
	a.id = uuid.MustParse(answer.Msg.GetAgentId())
	a.start()
	return a
}

// start runs it until stop; it may be started again, with what it has.
func (a *agent) start() {
	a.confirm(false)
	a.run(a.watch, a.report)
}

func (a *agent) confirm(confirmed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.confirmed = confirmed
}

// isConfirmed tells whether it was told, since its start, that it has the newest policy.
func (a *agent) isConfirmed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.confirmed
}

// deafen lets it report on, and follow nothing.
func (a *agent) deafen() {
	a.stop()
	a.run(a.report)
}

// run does each of these again and again.
func (a *agent) run(tasks ...func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, task := range tasks {
		running.Go(func() {
			for ctx.Err() == nil {
				task(ctx)
				pause(ctx, 100*time.Millisecond)
			}
		})
	}
	a.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	a.t.Cleanup(a.stop)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (a *agent) bearer(rpc string, body []byte) string {
	now := time.Now()
	claims := agentjwt.Claims{Agent: a.id.String(), Audience: a.url, RPC: rpc, IssuedAt: now, Expiry: now.Add(30 * time.Second)}
	if body != nil {
		claims.BodyHash = agentjwt.HashBody(body)
	}
	signed, err := agentjwt.Sign(a.private, claims)
	if err != nil {
		a.t.Error(err)
	}
	return "Bearer " + signed
}

func (a *agent) watch(ctx context.Context) {
	a.mu.Lock()
	// Of an age when policies came whole.
	call := connect.NewRequest(&agentv1.WatchRequest{Have: a.have, RejectedRoot: a.rejected, Capability: 3})
	a.mu.Unlock()
	call.Header().Set("Authorization", a.bearer(agentv1connect.AgentServiceWatchProcedure, nil))
	stream, err := a.client.Watch(ctx, call)
	if err != nil {
		return
	}
	defer stream.Close()
	for stream.Receive() {
		switch m := stream.Msg().GetMessage().(type) {
		case *agentv1.WatchResponse_Snapshot:
			a.apply(m.Snapshot)
			a.report(ctx)
		case *agentv1.WatchResponse_Revocations:
			a.revoke(m.Revocations)
		case *agentv1.WatchResponse_Heartbeat:
			a.confirm(!m.Heartbeat.GetBehind())
		case *agentv1.WatchResponse_GoAway:
			return
		}
	}
}

func (a *agent) apply(s *agentv1.Snapshot) {
	release := &policyv1.Release{}
	if err := proto.Unmarshal(s.GetRelease().GetRelease(), release); err != nil {
		a.t.Error(err)
	}
	a.mu.Lock()
	at := position{release.GetEpoch(), release.GetVersion()}
	if !at.after(a.sent) {
		a.t.Errorf("agent %s was sent %v after %v", a.id, at, a.sent)
	}
	a.sent, a.roots[at] = at, string(release.GetRoot())
	model, keys := a.read(s.GetResources())
	a.models = append(a.models, model)
	if a.refuse[model] {
		a.reasons, a.rejected = []string{"it does not like " + model}, release.GetRoot()
		a.rejects++
		a.mu.Unlock()
		return
	}
	a.model, a.keys, a.reasons, a.rejected = model, keys, nil, nil
	a.have = &agentv1.PolicyPosition{
		Epoch: at.epoch, Version: at.version, Root: release.GetRoot(), RevocationVersion: a.have.GetRevocationVersion(),
	}
	a.mu.Unlock()
	a.revoke(s.GetRevocations())
}

// read returns the model that the route leads to, and the keys by hash.
func (a *agent) read(resources []*policyv1.Resource) (model string, keys map[[32]byte]bool) {
	keys = map[[32]byte]bool{}
	for _, r := range resources {
		route, key := &policyv1.Route{}, &policyv1.Key{}
		switch r.GetKind() {
		case "route":
			_ = proto.Unmarshal(r.GetBody(), route)
			model = route.GetTargets()[0].GetModel()
		case "key":
			_ = proto.Unmarshal(r.GetBody(), key)
			keys[[32]byte(key.GetSha256())] = key.GetRevokedAt() == nil
		}
	}
	return model, keys
}

func (a *agent) revoke(s *policyv1.SignedRevocations) {
	set := &policyv1.Revocations{}
	if err := proto.Unmarshal(s.GetRevocations(), set); err != nil {
		a.t.Error(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range set.GetRevocations() {
		a.revoked[[32]byte(r.GetKeySha256())] = true
	}
	if a.have != nil {
		a.have = proto.CloneOf(a.have) // a call may be sending it
		a.have.RevocationVersion = max(a.have.GetRevocationVersion(), set.GetVersion())
	}
}

func (a *agent) report(ctx context.Context) {
	a.mu.Lock()
	m := &agentv1.ReportRequest{
		Position: a.have, Outcome: agentv1.ReportRequest_OUTCOME_APPLIED, Reasons: a.reasons, PoliciesRejected: a.rejects,
		Requests: a.served.requests, Failures: a.served.failures,
	}
	a.mu.Unlock()
	body, err := proto.Marshal(m)
	if err != nil {
		a.t.Error(err)
	}
	call := connect.NewRequest(m)
	call.Header().Set("Authorization", a.bearer(agentv1connect.AgentServiceReportProcedure, body))
	_, _ = a.client.Report(ctx, call) // said again soon
}

// serves tells what the agent does with a request: which model it would call; empty: it
// refuses the key.
func (a *agent) serves(key string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	sum := sha256.Sum256([]byte(key))
	if !a.keys[sum] || a.revoked[sum] {
		return ""
	}
	return a.model
}

func (a *agent) has(model string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.model == model
}

// saw tells whether it ever was sent a policy with the model.
func (a *agent) saw(model string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.models {
		if m == model {
			return true
		}
	}
	return false
}

// count lets it have served requests.
func (a *agent) count(requests, failures int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.served.requests += requests
	a.served.failures += failures
}

func (a *agent) at() position {
	a.mu.Lock()
	defer a.mu.Unlock()
	return position{a.have.GetEpoch(), a.have.GetVersion()}
}
