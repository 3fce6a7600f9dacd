package ingest

import (
	"slices"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"
)

var usageColumns = slices.Concat(requestColumns, candidateColumns, attemptColumns)

var requestColumns = []column{
	of("organization_id", ids, func(r placed) uuid.UUID { return r.from.boot.organization }),
	of("gateway_id", ids, func(r placed) uuid.UUID { return r.from.boot.gateway }),
	of("agent_id", ids, func(r placed) uuid.UUID { return r.from.boot.agent }),
	of("boot", names, func(r placed) string { return r.from.boot.boot }),
	of("seq", longs, func(r placed) int64 { return r.seq }),
	of("request_id", ids, func(r placed) uuid.UUID { return r.requestID }),
	of("surface", names, func(r placed) string { return r.surface }),
	of("started_at", micros, func(r placed) time.Time { return r.startedAt }),
	of("duration_us", longs, func(r placed) int64 { return r.durationUS }),
	of("time_to_first_token_us", longsOrNull, func(r placed) proto.Nullable[int64] { return positive(r.timeToFirstTokenUS) }),
	of("overhead_us", longs, func(r placed) int64 { return r.overheadUS }),
	of("project_id", ids, func(r placed) uuid.UUID { return r.project }),
	of("key_id", ids, func(r placed) uuid.UUID { return r.key }),
	of("route_id", ids, func(r placed) uuid.UUID { return r.route }),
	of("route", names, func(r placed) string { return r.routeName }),
	of("streamed", flags, func(r placed) bool { return r.streamed }),
	of("outcome", names, func(r placed) string { return r.outcome }),
	of("status", statuses, func(r placed) uint16 { return r.status }),
	of("error_code", names, func(r placed) string { return r.errorCode }),
	of("policy_epoch", longs, func(r placed) int64 { return r.policyEpoch }),
	of("policy_version", longs, func(r placed) int64 { return r.policyVersion }),
	of("revocation_version", longs, func(r placed) int64 { return r.revocationVersion }),
	of("torn_boot", names, func(r placed) string { return r.tornBoot }),
	of("torn_local_id", longs, func(r placed) int64 { return r.tornLocalID }),
	of("provider", names, func(r placed) string { return r.lastProvider }),
	of("model", names, func(r placed) string { return r.lastModel }),
	of("price_book_version", names, func(r placed) string { return r.lastPriceBook }),
	of("text_input_tokens", longs, func(r placed) int64 { return r.total.textInput }),
	of("cache_read_tokens", longs, func(r placed) int64 { return r.total.cacheRead }),
	of("cache_write_5m_tokens", longs, func(r placed) int64 { return r.total.cacheWrite5m }),
	of("cache_write_1h_tokens", longs, func(r placed) int64 { return r.total.cacheWrite1h }),
	of("audio_input_tokens", longs, func(r placed) int64 { return r.total.audioInput }),
	of("text_output_tokens", longs, func(r placed) int64 { return r.total.textOutput }),
	of("reasoning_tokens", longs, func(r placed) int64 { return r.total.reasoning }),
	of("audio_output_tokens", longs, func(r placed) int64 { return r.total.audioOutput }),
	of("cost_usd", moneyOrNull, func(r placed) proto.Nullable[nano] { return r.costUSD }),
	of("priced_cost_usd", money, func(r placed) nano { return r.pricedUSD }),
	of("estimated", flags, func(r placed) bool { return r.estimated }),
	of("kind", names, func(r placed) string { return r.kind }),
	of("parent_request_id", ids, func(r placed) uuid.UUID { return r.parent }),
	of("end_user", texts, func(r placed) string { return r.endUser }),
	of("run_id", texts, func(r placed) string { return r.runID }),
	{"labels", labelColumn},
	of("refused_by_quota_id", ids, func(r placed) uuid.UUID { return r.refusedBy }),
	nested("beyond_quota_ids", ids, func(r placed) []uuid.UUID { return r.beyond }, func(id *uuid.UUID) uuid.UUID { return *id }),
	of("queued_us", longs, func(r placed) int64 { return r.queuedUS }),
	of("lost_requests", longs, func(r placed) int64 { return r.lost.requests }),
	of("lost_shadows", longs, func(r placed) int64 { return r.lost.shadows }),
	of("lost_attempts", longs, func(r placed) int64 { return r.lost.attempts }),
	of("lost_unpriced_attempts", longs, func(r placed) int64 { return r.lost.unpriced }),
	constant("kafka_topic_id", ids, func(b block) uuid.UUID { return b.span.topicID }),
	constant("kafka_partition", ints, func(b block) int32 { return int32(b.span.partition) }),
	of("kafka_offset", longs, func(r placed) int64 { return r.from.source.offset }),
	constant("lease_until", times, func(b block) time.Time { return b.noted.leaseUntil }),
}

var candidateColumns = []column{
	eachCandidate("provider", func(c *candidate) string { return c.provider }),
	eachCandidate("model", func(c *candidate) string { return c.model }),
	eachCandidate("verdict", func(c *candidate) string { return c.verdict }),
}

var attemptColumns = []column{
	each("provider_id", ids, func(a *attempt) uuid.UUID { return a.providerID }),
	each("provider", names, func(a *attempt) string { return a.provider }),
	each("model", names, func(a *attempt) string { return a.model }),
	each("started_after_us", longs, func(a *attempt) int64 { return a.startedAfterUS }),
	each("duration_us", longs, func(a *attempt) int64 { return a.durationUS }),
	each("time_to_first_token_us", longsOrNull, func(a *attempt) proto.Nullable[int64] { return positive(a.timeToFirstTokenUS) }),
	each("status", statuses, func(a *attempt) uint16 { return a.status }),
	each("outcome", names, func(a *attempt) string { return a.outcome }),
	each("text_input_tokens", longs, func(a *attempt) int64 { return a.tokens.textInput }),
	each("cache_read_tokens", longs, func(a *attempt) int64 { return a.tokens.cacheRead }),
	each("cache_write_5m_tokens", longs, func(a *attempt) int64 { return a.tokens.cacheWrite5m }),
	each("cache_write_1h_tokens", longs, func(a *attempt) int64 { return a.tokens.cacheWrite1h }),
	each("audio_input_tokens", longs, func(a *attempt) int64 { return a.tokens.audioInput }),
	each("text_output_tokens", longs, func(a *attempt) int64 { return a.tokens.textOutput }),
	each("reasoning_tokens", longs, func(a *attempt) int64 { return a.tokens.reasoning }),
	each("audio_output_tokens", longs, func(a *attempt) int64 { return a.tokens.audioOutput }),
	each("usage_source", names, func(a *attempt) string { return a.usageSource }),
	each("cost_usd", moneyOrNull, func(a *attempt) proto.Nullable[nano] { return a.costUSD }),
	each("cache_saved_usd", moneyOrNull, func(a *attempt) proto.Nullable[nano] { return a.cacheSavedUSD }),
	each("price_book_version", names, func(a *attempt) string { return a.priceBookVersion }),
	each("raw_usage_sha256", texts, func(a *attempt) string { return a.rawUsageSHA256 }),
	each("cause", names, func(a *attempt) string { return a.cause }),
	each("service_tier", names, func(a *attempt) string { return a.serviceTier }),
	each("price_estimated", flags, func(a *attempt) bool { return a.priceEstimated }),
}
