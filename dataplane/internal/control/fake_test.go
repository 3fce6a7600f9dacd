package control_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/dataplane/internal/control"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	"github.com/weirhq/weir/proto/contract/digest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	organization = "0b5a7f3e-0000-4000-8000-000000000001"
	gateway      = "0b5a7f3e-0000-4000-8000-000000000002"
	token        = "weiret_for-tests"
)

// liar is a control plane that sends whatever a test tells it to.
type liar struct {
	agentv1connect.UnimplementedAgentServiceHandler

	key     ed25519.PrivateKey
	url     string
	send    chan *agentv1.WatchResponse
	reports chan *agentv1.ReportRequest
	answers chan *agentv1.AnswerRequest

	mu      sync.Mutex
	watches []*agentv1.WatchRequest
	refuse  error
	ahead   time.Duration // of the agent's clock
	public  ed25519.PublicKey
	bearer  string  // of the last report
	ended   bool    // agents are revoked
	turned  int     // away since
	early   int     // or late tokens, and turned away
	deaf    []error // to so many answers
	// polled answers polls; nil: there is no such call. An answer of nil is an error.
	polled func(*agentv1.PollRequest) *agentv1.PollResponse
}

func newLiar(t *testing.T) *liar {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{key: key, send: make(chan *agentv1.WatchResponse, 100), reports: make(chan *agentv1.ReportRequest, 1000), answers: make(chan *agentv1.AnswerRequest, 100)}
	mux := http.NewServeMux()
	mux.Handle(agentv1connect.NewAgentServiceHandler(l, connect.WithCompression("gzip", nil, nil))) // as the real one
	server := httptest.NewServer(l.guarded(mux))
	t.Cleanup(func() {
		server.Close()
		for _, req := range l.watches {
			presents(t, req)
		}
	})
	l.url = server.URL
	return l
}

// guarded refuses revoked agents, and tokens of another time, as the real one does.
func (l *liar) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reason := l.refusal(r)
		w.Header().Set("Date", l.now().UTC().Format(http.TimeFormat))
		if reason == "" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Weir-Reason", reason)
		w.WriteHeader(http.StatusUnauthorized)
	})
}

func (l *liar) refusal(r *http.Request) string {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.URL.Path == agentv1connect.AgentServiceEnrollProcedure {
		return ""
	}
	if l.ended {
		l.turned++
		return "agent_revoked"
	}
	token, err := agentjwt.Parse(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err == nil && l.public != nil {
		err = token.Verify(l.public, agentjwt.Expect{Now: now})
	}
	if errors.Is(err, agentjwt.ErrExpired) || errors.Is(err, agentjwt.ErrNotYet) {
		l.early++
		return agentjwt.Reason(err)
	}
	return ""
}

// now is the control plane's time.
func (l *liar) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Add(l.ahead)
}

func (l *liar) revokeAgents() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_GoAway{GoAway: &agentv1.GoAway{}}}
}

func (l *liar) misdated() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.early
}

func (l *liar) refusals() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turned
}

func (l *liar) Enroll(_ context.Context, req *connect.Request[agentv1.EnrollRequest]) (*connect.Response[agentv1.EnrollResponse], error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.public = req.Msg.GetPublicKey()
	if l.refuse != nil {
		return nil, l.refuse
	}
	if req.Msg.GetToken() != token {
		return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("enrolment_token_unknown: no such enrolment token"))
	}
	return connect.NewResponse(&agentv1.EnrollResponse{
		AgentId: "0b5a7f3e-0000-4000-8000-000000000003", OrganizationId: organization, GatewayId: gateway,
		SigningKeys: []*agentv1.SigningKey{{Id: "sk", PublicKey: l.key.Public().(ed25519.PublicKey)}},
		ServerTime:  timestamppb.New(time.Now().Add(l.ahead)),
	}), nil
}

func (l *liar) Watch(ctx context.Context, req *connect.Request[agentv1.WatchRequest], stream *connect.ServerStream[agentv1.WatchResponse]) error {
	l.mu.Lock()
	l.watches = append(l.watches, req.Msg)
	l.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-l.send:
			if err := stream.Send(m); err != nil {
				return err
			}
		}
	}
}

func (l *liar) Poll(ctx context.Context, req *connect.Request[agentv1.PollRequest]) (*connect.Response[agentv1.PollResponse], error) {
	if l.polled == nil {
		return l.UnimplementedAgentServiceHandler.Poll(ctx, req)
	}
	if answer := l.polled(req.Msg); answer != nil {
		return connect.NewResponse(answer), nil
	}
	return nil, connect.NewError(connect.CodeUnavailable, errors.New("not now"))
}

func (l *liar) Report(_ context.Context, req *connect.Request[agentv1.ReportRequest]) (*connect.Response[agentv1.ReportResponse], error) {
	l.reports <- req.Msg
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bearer = strings.TrimPrefix(req.Header().Get("Authorization"), "Bearer ")
	return connect.NewResponse(&agentv1.ReportResponse{ServerTime: timestamppb.New(time.Now().Add(l.ahead))}), nil
}

func (l *liar) Answer(_ context.Context, req *connect.Request[agentv1.AnswerRequest]) (*connect.Response[agentv1.AnswerResponse], error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.deaf) > 0 {
		err := l.deaf[0]
		l.deaf = l.deaf[1:]
		return nil, err
	}
	l.answers <- req.Msg
	return connect.NewResponse(&agentv1.AnswerResponse{}), nil
}

// again sends once the last message was taken; a stream that just ended may have
// taken it with it.
func (l *liar) again(send func()) {
	if len(l.send) == 0 {
		send()
		time.Sleep(time.Millisecond)
	}
}

func (l *liar) streams() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.watches)
}

func (l *liar) lastWatch() *agentv1.WatchRequest {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.watches) == 0 {
		return nil
	}
	return l.watches[len(l.watches)-1]
}

// draft is a policy before it is signed; tests bend it.
type draft struct {
	header      *policyv1.Release
	resources   []*policyv1.Resource
	revocations *policyv1.Revocations
}

func newDraft(version int64) *draft {
	resources := []*policyv1.Resource{{Kind: "gateway", Id: gateway, Body: []byte{1}}, {Kind: "key", Id: "k", Body: []byte{byte(version)}}}
	return &draft{
		header: &policyv1.Release{
			OrganizationId: organization, GatewayId: gateway, Epoch: 1, Version: version,
			ResourceCount: int32(len(resources)), Root: rootOf(resources), MinimumCapability: 1,
		},
		resources:   resources,
		revocations: revoked(1, 0),
	}
}

func revoked(epoch, version int64) *policyv1.Revocations {
	set := &policyv1.Revocations{OrganizationId: organization, GatewayId: gateway, Epoch: epoch, Version: version}
	for v := range version {
		set.Revocations = append(set.Revocations, &policyv1.Revocation{KeyId: "k", KeySha256: make([]byte, 32), Version: v + 1})
	}
	return set
}

func rootOf(resources []*policyv1.Resource) []byte {
	var all []digest.Resource
	for _, r := range resources {
		all = append(all, digest.Of(r.GetKind(), r.GetId(), r.GetBody()))
	}
	root := digest.Root(all)
	return root[:]
}

func (l *liar) sign(d *draft) *agentv1.Snapshot {
	header, err := proto.Marshal(d.header)
	if err != nil {
		panic(err)
	}
	return &agentv1.Snapshot{
		Release:     &policyv1.SignedRelease{Release: header, Signature: ed25519.Sign(l.key, digest.ReleaseMessage(header)), SigningKeyId: "sk"},
		Resources:   d.resources,
		Revocations: l.signSet(d.revocations),
	}
}

func (l *liar) signSet(set *policyv1.Revocations) *policyv1.SignedRevocations {
	body, err := proto.Marshal(set)
	if err != nil {
		panic(err)
	}
	return &policyv1.SignedRevocations{Revocations: body, Signature: ed25519.Sign(l.key, digest.RevocationsMessage(body)), SigningKeyId: "sk"}
}

func (l *liar) snapshot(s *agentv1.Snapshot) {
	l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_Snapshot{Snapshot: s}}
}

func (l *liar) revoke(s *policyv1.SignedRevocations) {
	l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_Revocations{Revocations: s}}
}

func (l *liar) heartbeat(settled ...*agentv1.SettledRange) {
	l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_Heartbeat{
		Heartbeat: &agentv1.Heartbeat{ServerTime: timestamppb.New(l.now()), Settled: settled},
	}}
}

// plane is what an agent serves, as its client tells it.
type plane struct {
	mu          sync.Mutex
	version     int64
	revocations int64
	compile     func(*policyv1.Release) error
	settled     []*agentv1.SettledRange
	credentials *agentv1.CredentialReport
	targets     *agentv1.TargetReport
	answer      func(context.Context, *agentv1.Ask) *agentv1.AnswerRequest
}

func (p *plane) now() (version, revocations int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.version, p.revocations
}

func (p *plane) config(url, dir string) control.Config {
	return control.Config{
		URL: url, StateDir: dir, Token: secret.NewValue(token), Name: "test", Version: "1",
		Compile: func(r *policyv1.Release, _ []*policyv1.Resource, set *policyv1.Revocations) (func(), error) {
			if p.compile != nil {
				if err := p.compile(r); err != nil {
					return nil, err
				}
			}
			return func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.version, p.revocations = r.GetVersion(), set.GetVersion()
			}, nil
		},
		ApplyRevocations: func(set *policyv1.Revocations) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.revocations = set.GetVersion()
			return nil
		},
		Answer: func(ctx context.Context, ask *agentv1.Ask) *agentv1.AnswerRequest {
			if p.answer == nil {
				return &agentv1.AnswerRequest{Result: &agentv1.AnswerRequest_DryRun{DryRun: &agentv1.DryRunResult{}}}
			}
			return p.answer(ctx, ask)
		},
		Tails: func() []*agentv1.BootTail { return []*agentv1.BootTail{{Boot: "b", LastSeq: 3}} },
		Settle: func(r []*agentv1.SettledRange) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.settled = r
		},
		Spooled: func() control.Spooled { return control.Spooled{Bytes: 1, Records: 2, Oldest: 3 * time.Second} },
		Served:  func() control.Served { return control.Served{Requests: 4, Failures: 1} },
		Credentials: func() *agentv1.CredentialReport {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.credentials
		},
		Targets: func() *agentv1.TargetReport {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.targets
		},
		Log: slog.New(slog.DiscardHandler),
	}
}

// run starts a client and returns how to stop it.
func run(t *testing.T, config control.Config) (client *control.Client, stop func()) {
	t.Helper()
	client, err := control.New(config)
	if err != nil {
		t.Fatal(err)
	}
	client.LoadPolicy()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := client.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return client, stop
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Microsecond) {
		if is() {
			return
		}
	}
	t.Fatalf("not in 15 s: %s", what)
}

// rejection waits for a report with reasons.
func (l *liar) rejection(t *testing.T) *agentv1.ReportRequest {
	t.Helper()
	tooLate := time.After(15 * time.Second) // of all reports, not since the last one
	for {
		select {
		case r := <-l.reports:
			if r.GetOutcome() == agentv1.ReportRequest_OUTCOME_REJECTED {
				return r
			}
		case <-tooLate:
			t.Fatal("no rejection was reported in 15 s")
		}
	}
}
