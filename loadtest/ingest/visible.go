package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/deploy/local/stack"
	"github.com/weirhq/weir/loadtest/gateway/load"
	"github.com/weirhq/weir/loadtest/gateway/upstream"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

const (
	// lookEvery is how often rows are looked for: a row is seen that much later at most.
	lookEvery = 50 * time.Millisecond
	// seenWithin is how long the last rows are waited for.
	seenWithin = 30 * time.Second
	// callers is how many requests may be under way.
	callers = 512
)

// ends are when answers ended, by request.
type ends struct {
	mu     sync.Mutex
	at     map[string]time.Time
	failed map[string]int
	late   time.Duration // how far behind its schedule the worst request began
}

func (e *ends) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.at)
}

// visible sends requests through a real agent and watches for their rows.
func (s *stage) visible(ctx context.Context, c Config, r *report) error {
	address, key, organization, stop, err := s.startAgent(ctx)
	defer stop()
	if err != nil {
		return err
	}
	seen := map[string]time.Time{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sent := &ends{at: map[string]time.Time{}, failed: map[string]int{}}
	done := make(chan struct{})
	began, err := s.spentBy(ctx, s.ingest.PID())
	if err != nil {
		return err
	}
	go func() {
		defer close(done)
		s.ask(ctx, c, address, key, sent)
	}()
	if err := s.watch(ctx, organization, seen, sent, done); err != nil {
		return err
	}
	ended, err := s.spentBy(ctx, s.ingest.PID())
	if err != nil {
		return err
	}
	var waits []time.Duration
	missing := 0
	for id, end := range sent.at {
		if at, ok := seen[id]; ok {
			waits = append(waits, max(0, at.Sub(end)))
		} else {
			missing++
		}
	}
	if len(waits) == 0 {
		return fmt.Errorf("no row was seen of %d answers; requests that failed: %v", len(sent.at), sent.failed)
	}
	slices.Sort(waits)
	at := func(q float64) time.Duration { return waits[min(len(waits)-1, int(q*float64(len(waits))))] }
	r.add("answers through an agent, per second", float64(len(sent.at))/c.For.Seconds(), "/s", float64(c.Rate))
	r.add("requests that failed", float64(sent.failures()), "", 0)
	r.took("the latest request, behind its schedule", sent.late, 0)
	r.took("from the answer's end to its row in SQL, p50", at(0.5), 0)
	r.took("from the answer's end to its row in SQL, p95", at(0.95), 0)
	r.took("from the answer's end to its row in SQL, p99", at(0.99), c.Visible)
	r.took("from the answer's end to its row in SQL, most", waits[len(waits)-1], 0)
	perRecord := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(len(waits)) }
	r.add("ingest meanwhile: processor per record, in small blocks", perRecord(ended.own-began.own), "µs", 0)
	r.add("ClickHouse meanwhile: processor per record, looking for rows included", perRecord(ended.clickhouse-began.clickhouse), "µs", 0)
	if missing > 0 {
		return fmt.Errorf("%d answers have no row after %s", missing, seenWithin)
	}
	return nil
}

// failures are requests without a good answer. How many are sent is random.
func (e *ends) failures() (count int) {
	for _, times := range e.failed {
		count += times
	}
	return count
}

// watch notes when rows are seen first, until all are or time is over.
func (s *stage) watch(ctx context.Context, organization string, seen map[string]time.Time, sent *ends, done <-chan struct{}) error {
	offset, over := int64(-1), (<-chan time.Time)(nil)
	for {
		rows, err := s.rows.Query(ctx, "SELECT toString(request_id), kafka_offset FROM usage_event WHERE organization_id = ? AND kafka_offset > ?", organization, offset)
		if err != nil {
			return err
		}
		now, highest := time.Now(), offset
		for rows.Next() {
			var id string
			var at int64
			if err := rows.Scan(&id, &at); err != nil {
				return errors.Join(err, rows.Close())
			}
			highest = max(highest, at)
			seen[id] = now
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		offset = highest // an offset's rows of one month are there together
		select {
		case <-done:
			if len(seen) >= sent.count() {
				return nil
			}
			done, over = nil, time.After(seenWithin)
		case <-over:
			return nil
		default:
		}
		if over != nil && len(seen) >= sent.count() {
			return nil
		}
		if err := pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// ask sends requests when they are due, at random times.
func (s *stage) ask(ctx context.Context, c Config, address, key string, sent *ends) {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: callers, MaxConnsPerHost: callers}}
	defer client.CloseIdleConnections()
	places := make(chan struct{}, callers)
	var under sync.WaitGroup
	defer under.Wait()
	began := time.Now()
	for due := range load.Poisson(float64(c.Rate), c.For, 1) {
		if pause(ctx, time.Until(began.Add(due))) != nil {
			return
		}
		places <- struct{}{}
		under.Go(func() {
			defer func() { <-places }()
			late := time.Since(began.Add(due))
			id, err := one(ctx, client, address, key)
			end := time.Now()
			sent.mu.Lock()
			defer sent.mu.Unlock()
			sent.late = max(sent.late, late)
			if err != nil {
				sent.failed[err.Error()]++
				return
			}
			sent.at[id] = end
		})
	}
}

func one(ctx context.Context, client *http.Client, address, key string) (id string, err error) {
	body := `{"model":"chat","messages":[{"role":"user","content":"how deep is the lake"}]}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Weir-User", "someone")
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return response.Header.Get("X-Weir-Request-Id"), errors.Join(err, response.Body.Close())
}

// startAgent configures an organization whose route goes to a mock in this process.
func (s *stage) startAgent(ctx context.Context) (address, key, organization string, stop func(), err error) {
	stop = func() {}
	mock, err := upstream.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return "", "", "", stop, err
	}
	go func() { _ = mock.Serve() }()
	stop = mock.Close
	organization, token, err := s.Found(ctx, "visible")
	if err != nil {
		return "", "", "", stop, err
	}
	origin := "http://" + mock.Address()
	key, enrolment, err := configure(ctx, s.URL, token, origin)
	if err != nil {
		return "", "", "", stop, fmt.Errorf("configure the organization: %w", err)
	}
	agent, err := s.NewAgent(ctx, "visible", enrolment, "WEIR_KAFKA_BROKERS="+s.brokers, "WEIR_ALLOW_UPSTREAMS="+origin,
		"WEIR_SECRET_LOADTEST="+upstream.Key, "WEIR_DELIVERY_TIMEOUT=10s", "WEIR_REGION=local", "GOMAXPROCS=1")
	if err != nil {
		return "", "", "", stop, err
	}
	return agent.URL, key, organization, func() { agent.Process.Stop(); mock.Close() }, nil
}

func configure(ctx context.Context, url, token, origin string) (key, enrolment string, err error) {
	as := stack.Bearer(token)
	projects := adminv1connect.NewProjectServiceClient(http.DefaultClient, url, as)
	project, err := projects.CreateProject(ctx, connect.NewRequest(&adminv1.CreateProjectRequest{Name: "app"}))
	if err != nil {
		return "", "", err
	}
	gateways := adminv1connect.NewGatewayServiceClient(http.DefaultClient, url, as)
	gateway, err := gateways.CreateGateway(ctx, connect.NewRequest(&adminv1.CreateGatewayRequest{Name: "prod", Region: "local"}))
	if err != nil {
		return "", "", err
	}
	provider, err := adminv1connect.NewProviderServiceClient(http.DefaultClient, url, as).CreateProvider(ctx, connect.NewRequest(&adminv1.CreateProviderRequest{
		Name: "mock", Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: origin + "/v1", CredentialRef: "env://WEIR_SECRET_LOADTEST",
	}))
	if err != nil {
		return "", "", err
	}
	_, err = adminv1connect.NewRouteServiceClient(http.DefaultClient, url, as).CreateRoute(ctx, connect.NewRequest(&adminv1.CreateRouteRequest{
		Name: "chat", Strategy: adminv1.Strategy_STRATEGY_SINGLE,
		Targets: []*adminv1.Target{{ProviderId: provider.Msg.GetProvider().GetId(), Model: upstream.Model}},
	}))
	if err != nil {
		return "", "", err
	}
	made, err := adminv1connect.NewKeyServiceClient(http.DefaultClient, url, as).CreateKey(ctx, connect.NewRequest(&adminv1.CreateKeyRequest{
		Name: "caller", ProjectId: project.Msg.GetProject().GetId(),
	}))
	if err != nil {
		return "", "", err
	}
	ticket, err := gateways.CreateEnrolmentToken(ctx, connect.NewRequest(&adminv1.CreateEnrolmentTokenRequest{GatewayId: gateway.Msg.GetGateway().GetId(), MaxUses: 1}))
	return made.Msg.GetSecret(), ticket.Msg.GetToken(), err
}
