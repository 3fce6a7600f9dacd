package ingest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// column is one column of usage_event and how a block fills it.
type column struct {
	name   string
	values func(block) any
}

var usageColumns = slices.Concat(requestColumns, candidateColumns, attemptColumns)

// listed are columns as an INSERT names them.
func listed(columns []column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = "`" + c.name + "`"
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// of makes a column from a function of one row.
func of[T any](name string, value func(placed) T) column {
	return column{name, func(b block) any {
		out := make([]T, len(b.rows))
		for i, r := range b.rows {
			out[i] = value(r)
		}
		return out
	}}
}

// each makes an array column from a function of one attempt.
func each[T any](name string, value func(attempt) T) column {
	return of("attempt."+name, func(r placed) []T { return mapped(r.attempts, value) })
}

// eachCandidate makes an array column from a function of one candidate.
func eachCandidate[T any](name string, value func(candidate) T) column {
	return of("candidate."+name, func(r placed) []T { return mapped(r.candidates, value) })
}

func mapped[E, T any](from []E, value func(E) T) []T {
	out := make([]T, len(from))
	for i, e := range from {
		out[i] = value(e)
	}
	return out
}

var requestColumns = []column{
	of("organization_id", func(r placed) uuid.UUID { return r.from.boot.organization }),
	of("gateway_id", func(r placed) uuid.UUID { return r.from.boot.gateway }),
	of("agent_id", func(r placed) uuid.UUID { return r.from.boot.agent }),
	of("boot", func(r placed) string { return r.from.boot.boot }),
	of("seq", func(r placed) int64 { return r.seq }),
	of("request_id", func(r placed) uuid.UUID { return r.requestID }),
	of("surface", func(r placed) string { return r.surface }),
	of("started_at", func(r placed) time.Time { return r.startedAt }),
	of("duration_us", func(r placed) int64 { return r.durationUS }),
	of("time_to_first_token_us", func(r placed) *int64 { return r.timeToFirstTokenUS }),
	of("overhead_us", func(r placed) int64 { return r.overheadUS }),
	of("project_id", func(r placed) uuid.UUID { return r.project }),
	of("key_id", func(r placed) uuid.UUID { return r.key }),
	of("route_id", func(r placed) uuid.UUID { return r.route }),
	of("route", func(r placed) string { return r.routeName }),
	of("streamed", func(r placed) bool { return r.streamed }),
	of("outcome", func(r placed) string { return r.outcome }),
	of("status", func(r placed) uint16 { return r.status }),
	of("error_code", func(r placed) string { return r.errorCode }),
	of("policy_epoch", func(r placed) int64 { return r.policyEpoch }),
	of("policy_version", func(r placed) int64 { return r.policyVersion }),
	of("revocation_version", func(r placed) int64 { return r.revocationVersion }),
	of("torn_boot", func(r placed) string { return r.tornBoot }),
	of("torn_local_id", func(r placed) int64 { return r.tornLocalID }),
	of("provider", func(r placed) string { return r.lastProvider }),
	of("model", func(r placed) string { return r.lastModel }),
	of("price_book_version", func(r placed) string { return r.lastPriceBook }),
	of("text_input_tokens", func(r placed) int64 { return r.total.textInput }),
	of("cache_read_tokens", func(r placed) int64 { return r.total.cacheRead }),
	of("cache_write_5m_tokens", func(r placed) int64 { return r.total.cacheWrite5m }),
	of("cache_write_1h_tokens", func(r placed) int64 { return r.total.cacheWrite1h }),
	of("audio_input_tokens", func(r placed) int64 { return r.total.audioInput }),
	of("text_output_tokens", func(r placed) int64 { return r.total.textOutput }),
	of("reasoning_tokens", func(r placed) int64 { return r.total.reasoning }),
	of("audio_output_tokens", func(r placed) int64 { return r.total.audioOutput }),
	of("cost_usd", func(r placed) *decimal.Decimal { return r.costUSD }),
	of("priced_cost_usd", func(r placed) decimal.Decimal { return r.pricedUSD }),
	of("estimated", func(r placed) bool { return r.estimated }),
	of("kind", func(r placed) string { return r.kind }),
	of("parent_request_id", func(r placed) uuid.UUID { return r.parent }),
	of("end_user", func(r placed) string { return r.endUser }),
	of("run_id", func(r placed) string { return r.runID }),
	of("labels", func(r placed) labels { return r.labels }),
	of("lost_requests", func(r placed) int64 { return r.lost.requests }),
	of("lost_shadows", func(r placed) int64 { return r.lost.shadows }),
	of("lost_attempts", func(r placed) int64 { return r.lost.attempts }),
	of("lost_unpriced_attempts", func(r placed) int64 { return r.lost.unpriced }),
	{"kafka_topic_id", func(b block) any { return constant(b, b.span.topicID) }},
	{"kafka_partition", func(b block) any { return constant(b, int32(b.span.partition)) }},
	of("kafka_offset", func(r placed) int64 { return r.from.source.offset }),
	{"lease_until", func(b block) any { return constant(b, b.noted.leaseUntil) }},
}

var candidateColumns = []column{
	eachCandidate("provider", func(c candidate) string { return c.provider }),
	eachCandidate("model", func(c candidate) string { return c.model }),
	eachCandidate("verdict", func(c candidate) string { return c.verdict }),
}

var attemptColumns = []column{
	each("provider_id", func(a attempt) uuid.UUID { return a.providerID }),
	each("provider", func(a attempt) string { return a.provider }),
	each("model", func(a attempt) string { return a.model }),
	each("started_after_us", func(a attempt) int64 { return a.startedAfterUS }),
	each("duration_us", func(a attempt) int64 { return a.durationUS }),
	each("time_to_first_token_us", func(a attempt) *int64 { return a.timeToFirstTokenUS }),
	each("status", func(a attempt) uint16 { return a.status }),
	each("outcome", func(a attempt) string { return a.outcome }),
	each("text_input_tokens", func(a attempt) int64 { return a.tokens.textInput }),
	each("cache_read_tokens", func(a attempt) int64 { return a.tokens.cacheRead }),
	each("cache_write_5m_tokens", func(a attempt) int64 { return a.tokens.cacheWrite5m }),
	each("cache_write_1h_tokens", func(a attempt) int64 { return a.tokens.cacheWrite1h }),
	each("audio_input_tokens", func(a attempt) int64 { return a.tokens.audioInput }),
	each("text_output_tokens", func(a attempt) int64 { return a.tokens.textOutput }),
	each("reasoning_tokens", func(a attempt) int64 { return a.tokens.reasoning }),
	each("audio_output_tokens", func(a attempt) int64 { return a.tokens.audioOutput }),
	each("usage_source", func(a attempt) string { return a.usageSource }),
	each("cost_usd", func(a attempt) *decimal.Decimal { return a.costUSD }),
	each("price_book_version", func(a attempt) string { return a.priceBookVersion }),
	each("raw_usage_sha256", func(a attempt) string { return a.rawUsageSHA256 }),
	each("cause", func(a attempt) string { return a.cause }),
}

func constant[T any](b block, value T) []T {
	out := make([]T, len(b.rows))
	for i := range out {
		out[i] = value
	}
	return out
}
