package ingest

import (
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// driverColumns are those that say something of the records of these tests.
const driverColumns = `organization_id, gateway_id, agent_id, boot, seq, request_id, surface, started_at, duration_us, time_to_first_token_us, overhead_us,
	project_id, key_id, route_id, route, streamed, outcome, status, error_code, policy_epoch, policy_version, revocation_version, torn_boot, torn_local_id,
	provider, model, price_book_version, text_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, audio_input_tokens,
	text_output_tokens, reasoning_tokens, audio_output_tokens, cost_usd, priced_cost_usd, estimated, kind, parent_request_id, end_user, run_id, labels,
	kafka_topic_id, kafka_partition, kafka_offset, lease_until, candidate.provider, candidate.model, candidate.verdict,
	attempt.provider_id, attempt.provider, attempt.model, attempt.started_after_us, attempt.duration_us, attempt.time_to_first_token_us, attempt.status,
	attempt.outcome, attempt.text_input_tokens, attempt.cache_read_tokens, attempt.cache_write_5m_tokens, attempt.cache_write_1h_tokens,
	attempt.audio_input_tokens, attempt.text_output_tokens, attempt.reasoning_tokens, attempt.audio_output_tokens, attempt.usage_source, attempt.cost_usd,
	attempt.price_book_version, attempt.raw_usage_sha256, attempt.cause`

func driverRow(r placed) []any {
	labels := map[string]string{}
	for _, l := range r.labels {
		labels[l.name] = l.value
	}
	usd := func(n nano) decimal.Decimal { return decimal.New(int64(n), -9) }
	cost, first := usd(r.pricedUSD), r.timeToFirstTokenUS
	out := []any{
		r.from.boot.organization, r.from.boot.gateway, r.from.boot.agent, r.from.boot.boot, r.seq, r.requestID, r.surface, r.startedAt, r.durationUS, &first, r.overheadUS,
		r.project, r.key, r.route, r.routeName, r.streamed, r.outcome, r.status, r.errorCode, r.policyEpoch, r.policyVersion, r.revocationVersion, r.tornBoot, r.tornLocalID,
		r.lastProvider, r.lastModel, r.lastPriceBook, r.total.textInput, r.total.cacheRead, r.total.cacheWrite5m, r.total.cacheWrite1h, r.total.audioInput,
		r.total.textOutput, r.total.reasoning, r.total.audioOutput, &cost, cost, r.estimated, r.kind, r.parent, r.endUser, r.runID, labels,
		uuid.UUID{}, int32(0), r.from.source.offset, time.Now().Add(time.Hour),
		mapped(r.candidates, func(c candidate) string { return c.provider }), mapped(r.candidates, func(c candidate) string { return c.model }),
		mapped(r.candidates, func(c candidate) string { return c.verdict }),
	}
	return append(out,
		mapped(r.attempts, func(a attempt) uuid.UUID { return a.providerID }), mapped(r.attempts, func(a attempt) string { return a.provider }),
		mapped(r.attempts, func(a attempt) string { return a.model }), mapped(r.attempts, func(a attempt) int64 { return a.startedAfterUS }),
		mapped(r.attempts, func(a attempt) int64 { return a.durationUS }), mapped(r.attempts, func(a attempt) *int64 { return &a.timeToFirstTokenUS }),
		mapped(r.attempts, func(a attempt) uint16 { return a.status }), mapped(r.attempts, func(a attempt) string { return a.outcome }),
		mapped(r.attempts, func(a attempt) int64 { return a.tokens.textInput }), mapped(r.attempts, func(a attempt) int64 { return a.tokens.cacheRead }),
		mapped(r.attempts, func(a attempt) int64 { return a.tokens.cacheWrite5m }), mapped(r.attempts, func(a attempt) int64 { return a.tokens.cacheWrite1h }),
		mapped(r.attempts, func(a attempt) int64 { return a.tokens.audioInput }), mapped(r.attempts, func(a attempt) int64 { return a.tokens.textOutput }),
		mapped(r.attempts, func(a attempt) int64 { return a.tokens.reasoning }), mapped(r.attempts, func(a attempt) int64 { return a.tokens.audioOutput }),
		mapped(r.attempts, func(a attempt) string { return a.usageSource }), mapped(r.attempts, func(a attempt) *decimal.Decimal { d := usd(a.costUSD.Value); return &d }),
		mapped(r.attempts, func(a attempt) string { return a.priceBookVersion }), mapped(r.attempts, func(a attempt) string { return a.rawUsageSHA256 }),
		mapped(r.attempts, func(a attempt) string { return a.cause }),
	)
}

func mapped[E, T any](from []E, value func(E) T) []T {
	out := make([]T, len(from))
	for i, e := range from {
		out[i] = value(e)
	}
	return out
}
