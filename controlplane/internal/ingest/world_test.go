package ingest

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const partitions = 2

// world is one test's topics, databases and agents.
type world struct {
	t          *testing.T
	config     Config
	db         *postgres.DB
	clickhouse *clickhouse.Conn
	kafka      *kafka.Client
	registry   *registry
}

func newWorld(t *testing.T, conn *clickhouse.Conn) *world {
	t.Helper()
	brokers := os.Getenv("WEIR_TEST_KAFKA_BROKERS")
	if brokers == "" {
		t.Fatal("WEIR_TEST_KAFKA_BROKERS is not set: run the tests with `make test`, or one package with `go run ./deploy/local with-engines -- go test ./…`")
	}
	w := &world{t: t, db: pgtest.Open(t), clickhouse: conn, registry: &registry{known: map[uuid.UUID]gateway.Agent{}}}
	transport := &kafka.Transport{MetadataTTL: 200 * time.Millisecond}
	t.Cleanup(transport.CloseIdleConnections)
	w.kafka = &kafka.Client{Addr: kafka.TCP(strings.Split(brokers, ",")...), Transport: transport, Timeout: 20 * time.Second}
	topic := "usage-" + uuid.NewString()
	w.config = Config{
		Brokers: strings.Split(brokers, ","), Postgres: w.db, ClickHouse: conn, Registry: w.registry,
		Log: slog.New(slog.NewTextHandler(testWriter{t}, nil)), Topic: topic, DeadTopic: topic + ".dead",
		Gather: 20 * time.Millisecond, Lease: 4 * time.Second, OwnFor: time.Second, TailsEvery: 50 * time.Millisecond,
	}
	w.create(w.config.Topic, partitions, "delete")
	w.create(w.config.DeadTopic, 1, "delete")
	return w
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func (w *world) create(name string, count int, cleanup string, more ...kafka.ConfigEntry) {
	w.t.Helper()
	response, err := w.kafka.CreateTopics(w.t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: name, NumPartitions: count, ReplicationFactor: -1, // the broker's default
		ConfigEntries: append(more, kafka.ConfigEntry{ConfigName: "cleanup.policy", ConfigValue: cleanup}),
	}}})
	if err = cmp.Or(err, response.Errors[name]); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_, _ = w.kafka.DeleteTopics(context.Background(), &kafka.DeleteTopicsRequest{Topics: []string{name}})
	})
	w.ready(name, count)
}

// ready waits until every partition has a leader: brokers answer before they do.
func (w *world) ready(name string, count int) {
	w.t.Helper()
	request := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}}
	for partition := range count {
		request.Topics[name] = append(request.Topics[name], kafka.LastOffsetOf(partition))
	}
	w.eventually(name+" has leaders", func() bool {
		response, err := w.kafka.ListOffsets(w.t.Context(), request)
		return err == nil && !slices.ContainsFunc(response.Topics[name], func(p kafka.PartitionOffsets) bool { return p.Error != nil })
	})
}

type registry struct {
	mu    sync.Mutex
	known map[uuid.UUID]gateway.Agent
	down  error
}

func (r *registry) Agent(_ context.Context, id uuid.UUID) (gateway.Agent, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down != nil {
		return gateway.Agent{}, r.down
	}
	a, ok := r.known[id]
	if !ok {
		return gateway.Agent{}, fault.New(fault.NotFound, "no agent %s", id)
	}
	return a, nil
}

func (r *registry) RevokedAmong(_ context.Context, ids []uuid.UUID) (found []gateway.Agent, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if a := r.known[id]; a.Revoked() {
			found = append(found, a)
		}
	}
	return found, r.down
}

func (r *registry) revoke(a testAgent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.RevokedAt = time.Now()
	r.known[a.ID] = a.Agent
}

// testAgent is an enrolled agent with its private key.
type testAgent struct {
	gateway.Agent
	private ed25519.PrivateKey
}

func (w *world) agent() testAgent {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	a := testAgent{gateway.Agent{ID: uuid.New(), OrganizationID: uuid.New(), GatewayID: uuid.New(), PublicKey: public}, private}
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	w.registry.known[a.ID] = a.Agent
	return a
}

const testBoot = "00000001-0123456789abcdef"

func (w *world) batch(a testAgent, records ...*usagev1.UsageRecord) []byte {
	w.t.Helper()
	value, err := batch.Close(a.ID.String(), testBoot, records, time.Now(), a.private)
	if err != nil {
		w.t.Fatal(err)
	}
	return value
}

// forged is a batch that the agent signed and batch.Close would not have made.
func (w *world) forged(a testAgent, boot string, seq int64) []byte {
	w.t.Helper()
	return w.signed(a, boot, seqRange{seq, seq}, w.marshal(&usagev1.BatchPayload{Records: usage(seq, seq)}))
}

// signed is any payload under the agent's signature.
func (w *world) signed(a testAgent, boot string, of seqRange, body []byte) []byte {
	w.t.Helper()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	payload := encoder.EncodeAll(body, nil)
	hash := sha256.Sum256(payload)
	header := w.marshal(&usagev1.BatchHeader{
		AgentId: a.ID.String(), Boot: boot, FirstSeq: of.first, LastSeq: of.last, PayloadSha256: hash[:], PayloadBytes: int64(len(body)),
	})
	return w.marshal(&usagev1.SignedBatch{Header: header, Signature: ed25519.Sign(a.private, batch.Message(header)), Payload: payload})
}

func (w *world) marshal(m proto.Message) []byte {
	w.t.Helper()
	text, err := proto.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

func usage(first, last int64, change ...func(*usagev1.UsageRecord)) []*usagev1.UsageRecord {
	var out []*usagev1.UsageRecord
	cost, saved := int64(1_234_567), int64(-7)
	for i := range last - first + 1 {
		seq := first + i
		r := &usagev1.UsageRecord{
			Seq: seq, RequestId: uuid.NewString(), Surface: usagev1.Surface_SURFACE_OPENAI_CHAT,
			StartedAtUs: time.Now().UnixMicro(), DurationUs: 1500, TimeToFirstTokenUs: 700, OverheadUs: 90,
			ProjectId: uuid.NewString(), KeyId: uuid.NewString(), RouteId: uuid.NewString(), Route: "fast",
			Outcome: usagev1.Outcome_OUTCOME_OK, Status: 200, PolicyVersion: 7, PolicyEpoch: 1, RevocationVersion: 3,
			Attempts: []*usagev1.Attempt{{
				ProviderId: uuid.NewString(), Provider: "openai", Model: "gpt-5", Status: 200, Outcome: usagev1.Outcome_OUTCOME_OK,
				Usage:       &usagev1.TokenUsage{Input: 10, CacheRead: 4, Output: 20, Reasoning: 5},
				UsageSource: usagev1.UsageSource_USAGE_SOURCE_REPORTED, CostNanoUsd: &cost, CacheSavedNanoUsd: &saved, PriceBookVersion: "2026-07",
			}},
		}
		for _, c := range change {
			c(r)
		}
		out = append(out, r)
	}
	return out
}

func (w *world) send(partition int, values ...[]byte) {
	w.t.Helper()
	records := make([]kafka.Record, len(values))
	for i, v := range values {
		records[i] = kafka.Record{Value: kafka.NewBytes(v)}
	}
	if err := w.produce(partition, records...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) produce(partition int, records ...kafka.Record) error {
	response, err := w.kafka.Produce(context.Background(), &kafka.ProduceRequest{
		Topic: w.config.Topic, Partition: partition, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
	})
	if err != nil {
		return err
	}
	return response.Error
}

// running is one ingest process.
type running struct {
	*Ingest
	stop func()
}

// start runs an ingest, with its sink changed when wanted, until stop or the
// test's end.
func (w *world) start(change ...func(in *Ingest, kill context.CancelFunc)) *running {
	w.t.Helper()
	config := w.config
	config.Metrics = prometheus.NewRegistry()
	in, err := New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	for _, c := range change {
		c(in, cancel)
	}
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("run: %v", err)
		}
	})
	w.t.Cleanup(stop)
	return &running{in, stop}
}

// eventually waits for something that the engines do by themselves.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// settled waits until the offsets of a partition before next are settled.
func (w *world) settled(partition int, next int64) {
	w.t.Helper()
	w.eventually("offsets are settled", func() bool { return w.nextOffset(partition) >= next })
}

func (w *world) nextOffset(partition int) int64 {
	return w.number(`SELECT coalesce(max(next_offset), 0) FROM ingest_partition WHERE partition = $1`, partition)
}

type counts struct{ Rows, Distinct uint64 }

func (w *world) rows(a testAgent) (c counts) {
	w.t.Helper()
	err := w.clickhouse.QueryRow(context.Background(), `SELECT count(), uniqExact(boot, seq) FROM usage_event
		WHERE agent_id = ? AND organization_id = ? AND gateway_id = ?`, a.ID, a.OrganizationID, a.GatewayID).Scan(&c.Rows, &c.Distinct)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) ranges(a testAgent) (n uint64) {
	w.t.Helper()
	err := w.clickhouse.QueryRow(context.Background(), `SELECT count() FROM usage_range WHERE agent_id = ?`, a.ID).Scan(&n)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
