package proxy_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	upstreamKey = "sk-canary-upstream-credential"
	goodKey     = "weir_good_canary_key"
	narrowKey   = "weir_narrow_key"
	revokedKey  = "weir_revoked_key"
	lateRevoked = "weir_late_revoked_key"
	expiredKey  = "weir_expired_key"
	oldKey      = "weir_key_before_its_rotation"
	replacedKey = "weir_key_long_after_its_rotation"
	goneKey     = "weir_key_that_only_the_revocations_name"
)

var errFull = errors.New("spool full")

// fakeRecorder keeps records in memory and fails on demand.
type fakeRecorder struct {
	mu      sync.Mutex
	started []*usagev1.UsageRecord
	again   []*usagev1.UsageRecord
	ended   map[uint64]*usagev1.UsageRecord
	refused []*usagev1.UsageRecord
	// forgone are what Forgo counted, by the id that it gave.
	forgone map[uint64]*usagev1.UsageRecord
	err     error
	// onEnd is called before End returns.
	onEnd func()
}

func (f *fakeRecorder) Start(r *usagev1.UsageRecord) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	f.started = append(f.started, proto.CloneOf(r))
	return uint64(len(f.started)), nil
}

func (f *fakeRecorder) Again(_ uint64, r *usagev1.UsageRecord) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	f.again = append(f.again, proto.CloneOf(r))
	return nil
}

func (f *fakeRecorder) Forgo(id uint64, r *usagev1.UsageRecord) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		return 0, errors.New("there is room")
	}
	if f.forgone == nil {
		f.forgone = map[uint64]*usagev1.UsageRecord{}
	}
	if id == 0 {
		id = 1<<63 + uint64(len(f.forgone))
	}
	f.forgone[id] = proto.CloneOf(r)
	return id, nil
}

func (f *fakeRecorder) End(ticket uint64, r *usagev1.UsageRecord) error {
	if f.onEnd != nil {
		f.onEnd()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended[ticket] != nil {
		return errors.New("ended twice")
	}
	f.ended[ticket] = proto.CloneOf(r)
	return nil
}

func (f *fakeRecorder) Refuse(r *usagev1.UsageRecord) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	f.refused = append(f.refused, proto.CloneOf(r))
	return nil
}

// lines is a log that tests can search.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type secrets map[string]string

func (s secrets) Resolve(reference string) (secret.Value, error) {
	text, ok := s[reference]
	if !ok {
		return secret.Value{}, secret.ErrUnavailable
	}
	return secret.NewValue(text), nil
}

// openers opens the sealed bytes that it knows.
type openers map[string]string

func (o openers) Open(s snapshot.Sealed) (secret.Value, error) { return secrets(o).Resolve(s.Bytes) }

// ownHeaders are those of the provider that the route "tuned" goes to.
var ownHeaders = []*policyv1.Header{{Name: "Openai-Organization", Value: "org-of-the-gateway"}, {Name: "X-Team", Value: "water"},
	{Name: "User-Agent", Value: "weir-test"}, {Name: "Idempotency-Key", Value: "always"}}

// labelRules let in some labels whatever they say, and one by its form.
var labelRules = func() (rules []*policyv1.LabelRule) {
	for _, name := range append(manyNames(17), "a", "cost.center") {
		rules = append(rules, &policyv1.LabelRule{Name: name, MaxBytes: 256, Pattern: ".*"})
	}
	return append(rules, &policyv1.LabelRule{Name: "team"})
}()

// hasher is of the agent's end users.
var hasher, _ = redact.NewHasher(bytes.Repeat([]byte{1}, 32))

type harness struct {
	t        testing.TB
	mock     *llmtest.Server
	upstream *httptest.Server
	agent    *httptest.Server
	handler  *proxy.Handler
	recorder *fakeRecorder
	holder   *snapshot.Holder
	registry *prometheus.Registry
	log      lines
	extra    []*policyv1.Resource // beside those of every test
	whenFull policyv1.SpoolFull
	// what is done without a price, by what, and entries of the price book beside its own.
	unpriced policyv1.Unpriced
	standIn  *policyv1.PriceEntry
	prices   []*policyv1.PriceEntry
	done     chan struct{} // one for each request served
}

func newHarness(t testing.TB, options ...func(*proxy.Config)) *harness {
	h := &harness{t: t, recorder: &fakeRecorder{ended: map[uint64]*usagev1.UsageRecord{}}, holder: &snapshot.Holder{},
		registry: prometheus.NewRegistry(), done: make(chan struct{}, 100)}
	h.mock = llmtest.New(llmtest.Options{APIKey: upstreamKey, AWS: awsKey})
	h.upstream = httptest.NewServer(h.mock)
	transport := proxy.NewTransport(proxy.TransportConfig{})
	config := proxy.Config{
		Policy: h.holder, Recorder: h.recorder, ErrSpoolFull: errFull,
		Secrets:   secrets{"env://WEIR_SECRET_MOCK": upstreamKey, "env://WEIR_SECRET_AWS": awsSecret},
		Sealed:    openers{"sealed bytes": upstreamKey},
		Transport: transport, Freshness: func() time.Time { return time.Now().Add(-90500 * time.Millisecond) },
		Unserved: func() error { return nil }, Hasher: func() *redact.Hasher { return hasher },
		Logger: slog.New(slog.NewJSONHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Metrics: h.registry,
	}
	for _, option := range options {
		option(&config)
	}
	if config.Quotas == nil {
		config.Quotas = noQuotas(t)
	}
	handler, err := proxy.New(config)
	if err != nil {
		t.Fatal(err)
	}
	h.handler = handler
	h.agent = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { h.done <- struct{}{} }()
		handler.ServeHTTP(w, r)
	}))
	h.agent.Listener = proxy.Listening(h.agent.Listener)
	h.agent.Start()
	t.Cleanup(func() {
		h.mock.Close()
		h.agent.Close()
		h.nothingUnderWay()
		h.upstream.Close()
		transport.CloseIdleConnections()
	})
	h.holder.Store(h.policy(h.upstream.URL))
	return h
}

// noQuotas is of an agent whose policies have none.
func noQuotas(t testing.TB) *quota.Meter {
	t.Helper()
	meter, err := quota.NewMeter(quota.Config{Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return meter
}

// nothingUnderWay: whatever became of requests, their targets know that they ended.
func (h *harness) nothingUnderWay() {
	for _, target := range h.handler.Targets() {
		if target.InFlight != 0 {
			h.t.Errorf("%d requests to %s/%s never ended", target.InFlight, target.Provider, target.Model)
		}
	}
}

func hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func resource(t testing.TB, kind, id string, m proto.Message) *policyv1.Resource {
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return &policyv1.Resource{Kind: kind, Id: id, Body: body}
}

func (h *harness) policy(upstream string) *snapshot.Policy {
	openAI := policyv1.Dialect_DIALECT_OPENAI
	past := timestamppb.New(time.Now().Add(-time.Hour))
	provider := func(id, base, reference, list string) *policyv1.Resource {
		return resource(h.t, "provider", id, &policyv1.Provider{Id: id, Name: id, Dialect: openAI, BaseUrl: base, CredentialRef: reference, PriceList: list})
	}
	route := func(name, provider, model string) *policyv1.Resource {
		return resource(h.t, "route", "r-"+name, &policyv1.Route{Id: "r-" + name, Name: name, Strategy: policyv1.Strategy_STRATEGY_SINGLE,
			Targets: []*policyv1.Target{{ProviderId: provider, Model: model}}})
	}
	key := func(id, text string, k *policyv1.Key) *policyv1.Resource {
		k.Id, k.ProjectId, k.Sha256 = id, "project-1", hash(text)
		return resource(h.t, "key", id, k)
	}
	resources := []*policyv1.Resource{
		resource(h.t, "gateway", "g1", &policyv1.Gateway{Id: "g1", MaxRequestBytes: 64 << 10, Labels: labelRules, WhenSpoolFull: h.whenFull,
			Unpriced: h.unpriced, EstimatePriceList: h.standIn.GetPriceList(), EstimateModel: h.standIn.GetModel()}),
		provider("mock", upstream+"/v1", "env://WEIR_SECRET_MOCK", "openai"),
		resource(h.t, "provider", "tuned", &policyv1.Provider{Id: "tuned", Name: "tuned", Dialect: openAI, BaseUrl: upstream + "/v1",
			CredentialRef: "env://WEIR_SECRET_MOCK", PriceList: "openai", Headers: ownHeaders}),
		provider("dead", "http://127.0.0.1:1/v1", "env://WEIR_SECRET_MOCK", "openai"),
		provider("elsewhere", "https://elsewhere.example/v1", "env://WEIR_SECRET_MOCK", "openai"),
		provider("bare", upstream+"/v1", "env://WEIR_SECRET_ABSENT", "openai"),
		route("chat", "mock", "gpt-4o"), route("odd", "mock", "odd-model"), route("dead", "dead", "gpt-4o"),
		route("elsewhere", "elsewhere", "gpt-4o"), route("bare", "bare", "gpt-4o"), route("dear", "mock", "dear-model"),
		route("tuned", "tuned", "gpt-4o"),
		resource(h.t, "route", "r-abroad", &policyv1.Route{Id: "r-abroad", Name: "abroad", Strategy: policyv1.Strategy_STRATEGY_PRIORITY,
			Unserved: "the gateway may send to providers in eu only: openai is in us"}),
		key("k-good", goodKey, &policyv1.Key{PreviousSha256: hash(oldKey), PreviousExpiresAt: timestamppb.New(time.Now().Add(time.Hour))}),
		key("k-narrow", narrowKey, &policyv1.Key{RouteIds: []string{"r-odd"}, PreviousSha256: hash(replacedKey), PreviousExpiresAt: past}),
		key("k-revoked", revokedKey, &policyv1.Key{RevokedAt: past}),
		key("k-late", lateRevoked, &policyv1.Key{}),
		key("k-expired", expiredKey, &policyv1.Key{ExpiresAt: past}),
		resource(h.t, "price_book", "book-1", &policyv1.PriceBook{Version: "book-1", Entries: append([]*policyv1.PriceEntry{{
			PriceList: "openai", Model: "gpt-4o", MaxInputTokens: 128_000, MaxOutputTokens: 16_384,
			Rates: &policyv1.Rates{Input: proto.Int64(2_500_000), CacheRead: proto.Int64(1_250_000), Output: proto.Int64(10_000_001)},
		}, {
			PriceList: "openai", Model: "dear-model", MaxInputTokens: 1000, MaxOutputTokens: 100,
			Rates: &policyv1.Rates{Input: proto.Int64(1000), CacheWrite_1H: proto.Int64(2000), InputAudio: proto.Int64(40_000),
				Output: proto.Int64(5000), OutputAudio: proto.Int64(80_000)},
		}, {
			PriceList: "anthropic", Model: "claude-sonnet-5", MaxInputTokens: 200_000, MaxOutputTokens: 64_000,
			Rates: &policyv1.Rates{Input: proto.Int64(3_000_000), CacheRead: proto.Int64(300_000), Output: proto.Int64(15_000_000)},
		}, {
			PriceList: "gemini", Model: "gemini-2.5-flash", MaxInputTokens: 1 << 20, MaxOutputTokens: 1 << 16,
			Rates: &policyv1.Rates{Input: proto.Int64(300_000), Output: proto.Int64(2_500_000)},
		}}, h.prices...)}),
	}
	resources = append(resources, h.extra...)
	origins, err := snapshot.ParseOrigins([]string{upstream, "http://127.0.0.1:1"})
	if err != nil {
		h.t.Fatal(err)
	}
	release := &policyv1.Release{OrganizationId: "o1", GatewayId: "g1", Epoch: 1, Version: 7, ResourceCount: int32(len(resources)),
		PriceBookVersion: "book-1", CompiledAt: past}
	revocations := &policyv1.Revocations{Version: 9, Revocations: []*policyv1.Revocation{{KeyId: "k-late", KeySha256: hash(lateRevoked), Version: 9},
		{KeyId: "k-gone", KeySha256: hash(goneKey), Version: 8}}}
	policy, err := snapshot.Compile(release, resources, revocations, origins)
	if err != nil {
		h.t.Fatal(err)
	}
	return policy
}

func (h *harness) client(key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(h.agent.URL+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
}

// send posts a body and reads the answer as far as it comes.
func (h *harness) send(ctx context.Context, key, body string, headers ...string) (*http.Response, string, error) {
	h.t.Helper()
	return h.sendTo(ctx, "/v1/chat/completions", key, body, headers...)
}

// sendTo is send to another path.
func (h *harness) sendTo(ctx context.Context, path, key, body string, headers ...string) (*http.Response, string, error) {
	h.t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.agent.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response, string(text), err
}

// post is send for answers that come whole.
func (h *harness) post(key, body string, headers ...string) (*http.Response, string) {
	h.t.Helper()
	response, text, err := h.send(context.Background(), key, body, headers...)
	if err != nil {
		h.t.Fatal(err)
	}
	return response, text
}

// record waits for the end of the only request and returns its start and end.
func (h *harness) record() (started, ended *usagev1.UsageRecord) {
	h.t.Helper()
	<-h.done
	h.recorder.mu.Lock()
	defer h.recorder.mu.Unlock()
	if len(h.recorder.started) != 1 || len(h.recorder.ended) != 1 || len(h.recorder.refused) != 0 {
		h.t.Fatalf("%d started, %d ended, %d refused", len(h.recorder.started), len(h.recorder.ended), len(h.recorder.refused))
	}
	return h.recorder.started[0], h.recorder.ended[1]
}
