package rpc_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/pricebook"
	"github.com/weirhq/weir/controlplane/internal/rerating"
	"github.com/weirhq/weir/controlplane/internal/rpc"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func rerateOf(change func(*adminv1.RerateUsageRequest)) *adminv1.RerateUsageRequest {
	r := &adminv1.RerateUsageRequest{
		From: timestamppb.New(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)), Until: timestamppb.New(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)),
		Reason: "the price was wrong",
	}
	if change != nil {
		change(r)
	}
	return r
}

// rerated is a re-rate of the tenant's, the one that runs or a new one.
func (n *tenant) rerated(t *testing.T) *adminv1.Rerate {
	t.Helper()
	if all := call(t, n.rerates.ListRerates, &adminv1.ListReratesRequest{}).Rerates; len(all) > 0 {
		return all[0]
	}
	return call(t, n.rerates.RerateUsage, rerateOf(nil)).Rerate
}

func TestRerates(t *testing.T) {
	in := &installation{t: t, analytics: chtest.Shared(t)}
	in.start(rpc.AdminConfig{})
	n := in.tenant("acme")
	wrong := call(t, n.prices.CreatePriceOverride, &adminv1.CreatePriceOverrideRequest{
		PriceList: "openai", Model: "gpt-5", Rates: &adminv1.Rates{Input: "1", Output: "10"},
	}).PriceOverride
	book := "builtin-2026-07.2+o" + wrong.Etag
	// 1000 tokens at 1 $ a million.
	admin := in.analytics.Admin(t)
	statement := fmt.Sprintf(`INSERT INTO usage_event (organization_id, request_id, boot, seq, started_at, project_id, provider, model, policy_version, cost_usd, priced_cost_usd, lease_until,
		attempt.provider_id, attempt.provider, attempt.model, attempt.text_input_tokens, attempt.usage_source, attempt.cost_usd, attempt.price_book_version,
		attempt.text_output_tokens, attempt.cache_read_tokens, attempt.cache_write_5m_tokens, attempt.cache_write_1h_tokens, attempt.audio_input_tokens,
		attempt.reasoning_tokens, attempt.audio_output_tokens, attempt.started_after_us, attempt.duration_us, attempt.time_to_first_token_us, attempt.status, attempt.outcome,
		attempt.raw_usage_sha256)
		SELECT '%s', '%s', 'boot', 1, '2026-11-20 12:00:00', '%s', 'openai', 'gpt-5', %s, toDecimal64(0.001, 9), toDecimal64(0.001, 9), now('UTC') + INTERVAL 2 SECOND,
		['%s'], ['openai'], ['gpt-5'], [1000], ['reported'], [toDecimal64(0.001, 9)], ['%s'], [0], [0], [0], [0], [0], [0], [0], [0], [0], [NULL], [200], ['ok'], ['']`,
		n.organization.Id, uuid.NewString(), n.project.Id, wrong.Etag, n.provider.Id, book)
	if err := admin.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	call(t, n.prices.UpdatePriceOverride, &adminv1.UpdatePriceOverrideRequest{
		PriceOverride: &adminv1.PriceOverride{Id: wrong.Id, Rates: &adminv1.Rates{Input: "1.5", Output: "10"}},
	})

	dry := rerateOf(func(r *adminv1.RerateUsageRequest) { r.Mutation = &adminv1.Mutation{ValidateOnly: true} })
	var planned *adminv1.Rerate
	for planned == nil || planned.Total.Attempts == 0 { // what is still on its way is not covered
		if planned = call(t, n.rerates.RerateUsage, dry).Rerate; planned.Total.Attempts == 0 {
			time.Sleep(200 * time.Millisecond)
		}
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
	}
	if d := planned.Total; d.Attempts != 1 || d.Requests != 1 || d.Corrected != 1 || d.OldCostNanoUsd != 1_000_000 || d.NewCostNanoUsd != 1_500_000 {
		t.Errorf("dry run: %v", d)
	}
	same(t, planned.State, adminv1.RerateState_RERATE_STATE_UNSPECIFIED)
	proposed := &adminv1.PriceOverride{PriceList: "openai", Model: "gpt-5", Rates: &adminv1.Rates{Input: "3"}}
	suppose := rerateOf(func(r *adminv1.RerateUsageRequest) {
		r.Mutation, r.Proposed = dry.Mutation, []*adminv1.PriceOverride{proposed}
	})
	supposed := call(t, n.rerates.RerateUsage, suppose).Rerate.Total // in place of the one for the same
	same(t, fmt.Sprint(supposed.OldCostNanoUsd, supposed.NewCostNanoUsd), "1000000 3000000")
	proposed.Id, proposed.EffectiveFrom = wrong.Id, timestamppb.New(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)) // after the request
	same(t, call(t, n.rerates.RerateUsage, suppose).Rerate.Total.NewCostNanoUsd, 1_250_000)                        // the built-in price
	refused(t, connect.CodeInvalidArgument, n.rerates.RerateUsage, rerateOf(func(r *adminv1.RerateUsageRequest) { r.Proposed = suppose.Proposed }))
	for _, unfit := range []*adminv1.PriceOverride{{PriceList: "openai", Model: "gpt-5"}, {PriceList: "openai", Model: "gpt-5", Rates: &adminv1.Rates{Input: "0.0000001"}}} {
		refused(t, connect.CodeInvalidArgument, n.rerates.RerateUsage, rerateOf(func(r *adminv1.RerateUsageRequest) {
			r.Mutation, r.Proposed = dry.Mutation, []*adminv1.PriceOverride{unfit}
		}))
	}
	refused(t, connect.CodeInvalidArgument, n.rerates.RerateUsage, rerateOf(func(r *adminv1.RerateUsageRequest) {
		r.Mutation, r.Proposed = dry.Mutation, []*adminv1.PriceOverride{{PriceList: "l", Model: "m", PerRequest: "1"}, {PriceList: "l", Model: "m", PerRequest: "2"}}
	}))
	same(t, len(call(t, n.rerates.ListRerates, &adminv1.ListReratesRequest{}).Rerates), 0)

	ahead := timestamppb.New(time.Now().Add(time.Minute))
	refused(t, connect.CodeInvalidArgument, n.rerates.RerateUsage, rerateOf(func(r *adminv1.RerateUsageRequest) { r.CoveredUntil = ahead }))
	refused(t, connect.CodeInvalidArgument, n.rerates.RerateUsage, rerateOf(func(r *adminv1.RerateUsageRequest) { r.BuiltinVersion = "builtin-1999" }))
	refused(t, connect.CodeInvalidArgument, n.rerates.RerateUsage, rerateOf(func(r *adminv1.RerateUsageRequest) { r.Reason = "" }))
	refused(t, connect.CodeInvalidArgument, n.rerates.RerateUsage, rerateOf(func(r *adminv1.RerateUsageRequest) { r.Until = r.From }))
	viewer := in.as(call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: n.account.Id, Name: "t"}).Secret)
	refused(t, connect.CodePermissionDenied, viewer.rerates.RerateUsage, rerateOf(nil))

	commit := rerateOf(func(r *adminv1.RerateUsageRequest) {
		r.CoveredUntil, r.Mutation = planned.CoveredUntil, &adminv1.Mutation{RequestId: "once"}
	})
	begun := call(t, n.rerates.RerateUsage, commit).Rerate
	same(t, begun.State, adminv1.RerateState_RERATE_STATE_RUNNING)
	same(t, call(t, n.rerates.RerateUsage, commit).Rerate.Id, begun.Id) // said again, begun once
	refused(t, connect.CodeFailedPrecondition, n.rerates.RerateUsage, rerateOf(nil))

	runner := rerating.New(rerating.Config{
		DB: in.db, Store: in.store, ClickHouse: admin, Builtin: pricebook.Named, Log: slog.New(slog.DiscardHandler), Every: 10 * time.Millisecond,
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runner.Run(ctx)
	}()
	got := begun
	for got.State == adminv1.RerateState_RERATE_STATE_RUNNING && t.Context().Err() == nil {
		time.Sleep(10 * time.Millisecond)
		got = call(t, n.rerates.GetRerate, &adminv1.GetRerateRequest{Id: begun.Id}).Rerate
	}
	cancel()
	<-done
	same(t, got.State, adminv1.RerateState_RERATE_STATE_DONE)
	if !proto.Equal(got.Total, planned.Total) || len(got.Differences) != 1 || !proto.Equal(got.Differences[0], planned.Differences[0]) {
		t.Errorf("it came to %v, the dry run to %v", got, planned)
	}
	if got.FinishedAt == nil || !got.Reached.AsTime().Equal(got.Until.AsTime()) || got.PriceBookVersion != planned.PriceBookVersion {
		t.Errorf("%v", got)
	}
	event := call(t, n.history.ListEvents, &adminv1.ListEventsRequest{Match: &adminv1.EventMatch{Kinds: []string{"RerateStarted"}}}).Events[0]
	if event.Actor.GetKind() == "" || event.Body.GetFields()["reason"].GetStringValue() != "the price was wrong" {
		t.Errorf("the log says %v", event)
	}
	same(t, call(t, n.rerates.RerateUsage, dry).Rerate.Total.Corrected, 0)
}
