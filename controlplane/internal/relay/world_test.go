package relay_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/relay"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
	"github.com/weirhq/weir/proto/gen/weir/usage/v1/usagev1connect"
)

const (
	topic      = "usage"
	partitions = 4
	boot       = "00000001-9f86d081884c7d65"
	rpc        = usagev1connect.UsageServicePushProcedure
)

// registry has agents and regions in memory.
type registry struct {
	mu      sync.Mutex
	agents  map[uuid.UUID]gateway.Agent
	regions map[uuid.UUID]string
	down    error
}

func (r *registry) Agent(_ context.Context, id uuid.UUID) (gateway.Agent, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.agents[id]
	if !ok && r.down == nil {
		return a, fault.New(fault.NotFound, "no agent %s", id)
	}
	return a, r.down
}

func (r *registry) GatewayRegion(_ context.Context, _, id uuid.UUID) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.regions[id], r.down
}

// world is a relay on loopback, of the region eu, with agents and a broker.
type world struct {
	t        *testing.T
	url      string
	registry *registry
	metrics  *prometheus.Registry
	broker   *broker
}

func newWorld(t *testing.T, options ...func(*relay.Config)) *world {
	t.Helper()
	w := &world{
		t: t, metrics: prometheus.NewRegistry(), broker: newBroker(t),
		registry: &registry{agents: map[uuid.UUID]gateway.Agent{}, regions: map[uuid.UUID]string{}},
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.url = server.URL
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	producer, err := relay.NewKafka(relay.KafkaConfig{Brokers: []string{w.broker.address}, Topic: topic, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { producer.Close() })
	config := relay.Config{
		Authenticator: fleet.NewAuthenticator(w.registry, []string{w.url}, log),
		Registry:      w.registry, Producer: producer, Region: "eu", Log: log, Metrics: w.metrics,
	}
	for _, option := range options {
		option(&config)
	}
	handler, err := relay.New(config)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle(handler.Mount())
	return w
}

// broker is one that can be away.
type broker struct {
	t       *testing.T
	address string
	port    int
	dir     string
	cluster *kfake.Cluster
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, address: taken.Addr().String(), port: taken.Addr().(*net.TCPAddr).Port, dir: t.TempDir()}
	taken.Close()
	b.start()
	return b
}

func (b *broker) start() {
	b.t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(b.port), kfake.DataDir(b.dir), kfake.SeedTopics(partitions, topic))
	if err != nil {
		b.t.Fatal(err)
	}
	b.cluster = cluster
	b.t.Cleanup(cluster.Close)
}

// records of one partition, in order.
func (b *broker) records(partition int) (all []kafka.Message) {
	b.t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(b.address), Timeout: 10 * time.Second, Transport: &kafka.Transport{}}
	for {
		answer, err := client.Fetch(b.t.Context(), &kafka.FetchRequest{
			Topic: topic, Partition: partition, Offset: int64(len(all)), MinBytes: 1, MaxBytes: 16 << 20, MaxWait: 10 * time.Millisecond,
		})
		if err != nil || answer.Error != nil {
			b.t.Fatal(err, answer)
		}
		before := len(all)
		for {
			r, err := answer.Records.ReadRecord()
			if err != nil {
				break
			}
			key, _ := kafka.ReadAll(r.Key)
			value, err := io.ReadAll(r.Value)
			if err != nil {
				b.t.Fatal(err)
			}
			if r.Offset >= int64(len(all)) {
				all = append(all, kafka.Message{Partition: partition, Key: key, Value: value})
			}
		}
		if len(all) == before {
			return all
		}
	}
}

// all records of the topic.
func (b *broker) all() (all []kafka.Message) {
	for p := range partitions {
		all = append(all, b.records(p)...)
	}
	return all
}

// agent is an enrolled one that speaks by hand.
type agent struct {
	w *world
	gateway.Agent
	key ed25519.PrivateKey
	seq int64
}

func (w *world) agent(organization uuid.UUID, region string) *agent {
	w.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	a := &agent{w: w, key: private, Agent: gateway.Agent{ID: uuid.New(), OrganizationID: organization, GatewayID: uuid.New(), PublicKey: public}}
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	w.registry.agents[a.ID], w.registry.regions[a.GatewayID] = a.Agent, region
	return a
}

func (w *world) revoke(a *agent) {
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	a.RevokedAt = time.Now()
	w.registry.agents[a.ID] = a.Agent
}

// batch closes the agent's next records, as its spool would.
func (a *agent) batch(records int) []byte {
	a.w.t.Helper()
	var all []*usagev1.UsageRecord
	for range records {
		a.seq++
		all = append(all, &usagev1.UsageRecord{Seq: a.seq, RequestId: uuid.NewString(), Outcome: usagev1.Outcome_OUTCOME_OK})
	}
	value, err := batch.Close(a.ID.String(), boot, all, time.Now(), a.key)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return value
}

func (w *world) request(values ...[]byte) *usagev1.PushRequest {
	w.t.Helper()
	m := &usagev1.PushRequest{}
	for _, value := range values {
		signed := &usagev1.SignedBatch{}
		if err := proto.Unmarshal(value, signed); err != nil {
			w.t.Fatal(err)
		}
		m.Batches = append(m.Batches, signed)
	}
	return m
}

func (a *agent) token(body []byte) string {
	a.w.t.Helper()
	now := time.Now()
	text, err := agentjwt.Sign(a.key, agentjwt.Claims{
		Agent: a.ID.String(), Audience: a.w.url, RPC: rpc, BodyHash: agentjwt.HashBody(body), IssuedAt: now, Expiry: now.Add(30 * time.Second),
	})
	if err != nil {
		a.w.t.Fatal(err)
	}
	return text
}

// push calls as the agent would.
func (a *agent) push(values ...[]byte) (accepted int32, err error) {
	a.w.t.Helper()
	return a.send(context.Background(), a.w.request(values...))
}

func (a *agent) send(ctx context.Context, m *usagev1.PushRequest) (accepted int32, err error) {
	body, err := proto.Marshal(m)
	if err != nil {
		return 0, err
	}
	call := connect.NewRequest(m)
	call.Header().Set("Authorization", "Bearer "+a.token(body))
	answer, err := usagev1connect.NewUsageServiceClient(http.DefaultClient, a.w.url).Push(ctx, call)
	if err != nil {
		return 0, err
	}
	return answer.Msg.GetAccepted(), nil
}

// refused checks an error of a call: its code and reason, and that nothing came of it.
func (w *world) refused(name string, err error, code connect.Code, reason string) *connect.Error {
	w.t.Helper()
	var said *connect.Error
	if !asConnect(err, &said) || said.Code() != code || said.Meta().Get(fleet.ReasonHeader) != reason {
		w.t.Errorf("%s: %v, want %s %s", name, err, code, reason)
		return &connect.Error{}
	}
	return said
}

// same checks the records of a partition against the batches that were pushed.
func same(t *testing.T, got []kafka.Message, want ...[]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i].Value, want[i]) {
			t.Errorf("record %d has other bytes", i)
		}
	}
}

func seconds(e *connect.Error) string { return fmt.Sprint(e.Meta().Get("Retry-After")) }
