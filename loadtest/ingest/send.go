package ingest

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/deploy/local/stack"
	"github.com/weirhq/weir/proto/contract/batch"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// batchRecords is what agents close a batch at.
const batchRecords = 500

// sender is an enrolled agent that only signs.
type sender struct {
	id   string
	key  ed25519.PrivateKey
	boot string
	seq  int64
}

// senders enrols so many agents, one for each partition.
func (s *stage) senders(ctx context.Context, count int) (all []*sender, err error) {
	_, token, err := s.Found(ctx, "throughput")
	if err != nil {
		return nil, err
	}
	gateways := adminv1connect.NewGatewayServiceClient(http.DefaultClient, s.URL, stack.Bearer(token))
	gateway, err := gateways.CreateGateway(ctx, connect.NewRequest(&adminv1.CreateGatewayRequest{Name: "prod", Region: "local"}))
	if err != nil {
		return nil, fmt.Errorf("make a gateway: %w", err)
	}
	enrolment, err := gateways.CreateEnrolmentToken(ctx, connect.NewRequest(&adminv1.CreateEnrolmentTokenRequest{
		GatewayId: gateway.Msg.GetGateway().GetId(), MaxUses: int32(count),
	}))
	if err != nil {
		return nil, fmt.Errorf("make an enrolment token: %w", err)
	}
	agents := agentv1connect.NewAgentServiceClient(http.DefaultClient, s.URL)
	for i := range count {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			return nil, err
		}
		enrolled, err := agents.Enroll(ctx, connect.NewRequest(&agentv1.EnrollRequest{
			Token: enrolment.Msg.GetToken(), PublicKey: public, Name: fmt.Sprintf("sender-%d", i), Version: "loadtest",
		}))
		if err != nil {
			return nil, fmt.Errorf("enrol: %w", err)
		}
		all = append(all, &sender{id: enrolled.Msg.GetAgentId(), key: private, boot: fmt.Sprintf("00000001-%016x", i)})
	}
	return all, nil
}

// send writes records to Kafka, each sender's to a partition of its own.
func send(ctx context.Context, client *kafka.Client, senders []*sender, records int, told bool) error {
	for sent, turn := 0, 0; sent < records; turn++ {
		n := min(batchRecords, records-sent)
		value, err := senders[turn%len(senders)].batch(n, told)
		if err != nil {
			return err
		}
		response, err := client.Produce(ctx, &kafka.ProduceRequest{
			Topic: topic, Partition: turn % len(senders), RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes(value)}),
		})
		if err == nil {
			err = cmp.Or(response.Error, response.RecordErrors[0])
		}
		if err != nil {
			return fmt.Errorf("write to kafka: %w", err)
		}
		sent += n
	}
	return nil
}

func (s *sender) batch(n int, told bool) ([]byte, error) {
	records := make([]*usagev1.UsageRecord, n)
	for i := range records {
		s.seq++
		records[i] = record(s.seq)
		if told {
			tell(records[i])
		}
	}
	return batch.Close(s.id, s.boot, records, time.Now(), s.key)
}

// ids that many requests share: of ten projects, a hundred keys, and so on.
var ids = func() (all []string) {
	for range 100 {
		all = append(all, uuid.NewString())
	}
	return all
}()

func record(seq int64) *usagev1.UsageRecord {
	cost := 1_000_000 + seq%1000
	return &usagev1.UsageRecord{
		Seq: seq, RequestId: uuid.Must(uuid.NewV7()).String(), Surface: usagev1.Surface_SURFACE_OPENAI_CHAT,
		StartedAtUs: time.Now().UnixMicro(), DurationUs: 900_000 + seq%100_000, TimeToFirstTokenUs: 300_000 + seq%50_000, OverheadUs: 200 + seq%100,
		ProjectId: ids[seq%10], KeyId: ids[seq%100], RouteId: ids[seq%5], Route: "chat", Streamed: seq%2 == 0,
		Outcome: usagev1.Outcome_OUTCOME_OK, Status: 200, PolicyVersion: 7, PolicyEpoch: 1, RevocationVersion: 3,
		Attempts: []*usagev1.Attempt{{
			ProviderId: ids[seq%3], Provider: "openai", Model: []string{"gpt-5", "gpt-5-mini", "claude"}[seq%3], Status: 200, Outcome: usagev1.Outcome_OUTCOME_OK,
			StartedAfterUs: 150, DurationUs: 899_000 + seq%100_000, TimeToFirstTokenUs: 299_000 + seq%50_000,
			Usage:       &usagev1.TokenUsage{Input: 900 + seq%500, CacheRead: 400, Output: 120 + seq%80, Reasoning: 50},
			UsageSource: usagev1.UsageSource_USAGE_SOURCE_REPORTED, CostNanoUsd: &cost, PriceBookVersion: "2026-07",
		}},
	}
}

// tell adds what callers say and why targets were chosen.
func tell(r *usagev1.UsageRecord) {
	r.EndUser, r.RunId = fmt.Sprintf("h1.k1.%022d", r.GetSeq()%10_000), ids[r.GetSeq()%100]
	r.Labels = []*usagev1.Label{{Name: "env", Value: "prod"}, {Name: "feature", Value: "search"}, {Name: "team", Value: fmt.Sprintf("team-%d", r.GetSeq()%40)}}
	r.Candidates = []*usagev1.Candidate{
		{Provider: "openai", Model: "gpt-5", Verdict: usagev1.Verdict_VERDICT_CHOSEN},
		{Provider: "azure", Model: "gpt-5", Verdict: usagev1.Verdict_VERDICT_STANDBY},
		{Provider: "bedrock", Model: "claude", Verdict: usagev1.Verdict_VERDICT_BREAKER_OPEN},
	}
	r.Attempts[0].Cause = usagev1.Cause_CAUSE_FIRST
}
