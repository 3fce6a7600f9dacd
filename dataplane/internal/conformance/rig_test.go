package conformance_test

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	upstreamKey = "sk-of-the-upstream"
	gatewayKey  = "weir_key_of_an_application"
	routeName   = "routed"
	reference   = "env://WEIR_SECRET_UPSTREAM"
)

var errFull = errors.New("full")

// ledger keeps the records of what has ended.
type ledger struct {
	mu    sync.Mutex
	ended []*usagev1.UsageRecord
}

func (l *ledger) Start(*usagev1.UsageRecord) (uint64, error)         { return 1, nil }
func (l *ledger) Forgo(uint64, *usagev1.UsageRecord) (uint64, error) { return 0, nil }
func (l *ledger) Again(uint64, *usagev1.UsageRecord) error           { return nil }
func (l *ledger) End(_ uint64, r *usagev1.UsageRecord) error         { return l.Refuse(r) }

func (l *ledger) Refuse(r *usagev1.UsageRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = append(l.ended, proto.CloneOf(r))
	return nil
}

// take empties the ledger.
func (l *ledger) take() []*usagev1.UsageRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	records := l.ended
	l.ended = nil
	return records
}

type secrets struct{}

func (secrets) Resolve(name string) (secret.Value, error) {
	if name != reference {
		return secret.Value{}, secret.ErrUnavailable
	}
	return secret.NewValue(upstreamKey), nil
}

type nothingSealed struct{}

func (nothingSealed) Open(snapshot.Sealed) (secret.Value, error) {
	return secret.Value{}, secret.ErrUnavailable
}

// rig is an agent whose one route goes to one provider, a mock of it.
type rig struct {
	mock     *llmtest.Server
	upstream *httptest.Server
	agent    *httptest.Server
	ledger   ledger
	serving  sync.WaitGroup
}

func newRig(t *testing.T, p provider) *rig {
	t.Helper()
	r := &rig{mock: llmtest.New(llmtest.Options{APIKey: upstreamKey, CachedTokens: 2})}
	r.upstream = httptest.NewServer(r.mock)
	transport := proxy.NewTransport(proxy.TransportConfig{})
	holder := &snapshot.Holder{}
	metrics := prometheus.NewRegistry()
	meter, err := quota.NewMeter(quota.Config{Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := proxy.New(proxy.Config{
		Policy: holder, Recorder: &r.ledger, ErrSpoolFull: errFull, Secrets: secrets{}, Sealed: nothingSealed{}, Quotas: meter, Transport: transport,
		Freshness: time.Now, Unserved: func() error { return nil }, Logger: slog.New(slog.DiscardHandler), Metrics: metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	holder.Store(r.policy(t, p))
	r.agent = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.serving.Add(1)
		defer r.serving.Done()
		handler.ServeHTTP(w, request)
	}))
	t.Cleanup(func() {
		r.mock.Close()
		r.agent.Close()
		r.upstream.Close()
		transport.CloseIdleConnections()
	})
	return r
}

func resource(t *testing.T, kind, id string, m proto.Message) *policyv1.Resource {
	t.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return &policyv1.Resource{Kind: kind, Id: id, Body: body}
}

func (r *rig) policy(t *testing.T, p provider) *snapshot.Policy {
	t.Helper()
	sum := sha256.Sum256([]byte(gatewayKey))
	own := proto.CloneOf(p.own)
	own.Id, own.Name, own.BaseUrl, own.CredentialRef, own.PriceList = "p", p.name, r.upstream.URL+p.path, reference, "list"
	resources := []*policyv1.Resource{
		resource(t, "gateway", "g", &policyv1.Gateway{Id: "g", MaxRequestBytes: 1 << 20}),
		resource(t, "provider", "p", own),
		resource(t, "route", "r", &policyv1.Route{Id: "r", Name: routeName, Strategy: policyv1.Strategy_STRATEGY_SINGLE,
			Targets: []*policyv1.Target{{ProviderId: "p", Model: p.model}}}),
		resource(t, "key", "k", &policyv1.Key{Id: "k", ProjectId: "project", Sha256: sum[:]}),
	}
	origins, err := snapshot.ParseOrigins([]string{r.upstream.URL})
	if err != nil {
		t.Fatal(err)
	}
	release := &policyv1.Release{OrganizationId: "o", GatewayId: "g", Epoch: 1, Version: 1, ResourceCount: int32(len(resources)), CompiledAt: timestamppb.Now()}
	policy, err := snapshot.Compile(release, resources, &policyv1.Revocations{Version: 1}, origins)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// recorded waits until nothing is served, and sums up what was recorded.
func (r *rig) recorded() (tokens llmtest.Tokens, records []*usagev1.UsageRecord) {
	r.serving.Wait()
	records = r.ledger.take()
	for _, record := range records {
		for _, attempt := range record.Attempts {
			u := attempt.Usage
			tokens.Input += u.GetInput()
			tokens.CachedInput += u.GetCacheRead()
			tokens.CacheWrite5m += u.GetCacheWrite_5M()
			tokens.CacheWrite1h += u.GetCacheWrite_1H()
			tokens.Output += u.GetOutput()
			tokens.Reasoning += u.GetReasoning()
		}
	}
	return tokens, records
}
