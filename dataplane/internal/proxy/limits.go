package proxy

import (
	"net/http"
	"strconv"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// limitHeaders are the names by which a dialect tells of one limit, and how it writes when that
// starts over.
type limitHeaders struct {
	limit, remaining, reset string
	when                    func(now time.Time, in time.Duration) string
}

// Sources: https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers and
// https://docs.anthropic.com/en/api/rate-limits#response-headers
var (
	openAILimits = [...]limitHeaders{
		{"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests", inGoTime},
		{"X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens", inGoTime},
	}
	anthropicLimits = [...]limitHeaders{
		{"Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset", atTime},
		{"Anthropic-Ratelimit-Tokens-Limit", "Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset", atTime},
	}
)

// limited are the measures that have such headers.
var limited = [...]policyv1.QuotaMeasure{policyv1.QuotaMeasure_QUOTA_MEASURE_REQUESTS, policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS}

// inGoTime is a duration as OpenAI writes it: 6m0s, 8.64s, 17ms.
func inGoTime(_ time.Time, in time.Duration) string {
	return max(in.Round(time.Millisecond), time.Millisecond).String()
}

// atTime is the moment, to the second and not before it.
func atTime(now time.Time, in time.Duration) string {
	return now.Add(in + time.Second - 1).Truncate(time.Second).UTC().Format(time.RFC3339)
}

// limitHeaders are those of the surface's dialect; nil: it has none.
func (s *surface) limitHeaders() *[2]limitHeaders {
	switch s.records {
	case usagev1.Surface_SURFACE_ANTHROPIC_MESSAGES, usagev1.Surface_SURFACE_ANTHROPIC_COUNT_TOKENS:
		return &anthropicLimits
	case usagev1.Surface_SURFACE_GEMINI_GENERATE, usagev1.Surface_SURFACE_GEMINI_EMBED, usagev1.Surface_SURFACE_GEMINI_COUNT_TOKENS,
		usagev1.Surface_SURFACE_UNSPECIFIED:
		return nil
	}
	return &openAILimits
}

// tellLimits says in the answer's header what is left of the limit of requests, and of that of
// tokens, that has the least left of those that count the request and refuse. Before the
// status is sent.
func (e *exchange) tellLimits() {
	if len(e.counted) == 0 && (e.lacked == nil || e.up != nil) && (e.up == nil || len(e.up.target.Provider.Quotas()) == 0) {
		return
	}
	names := e.surface.limitHeaders()
	if names == nil || e.isCopy {
		return
	}
	for i, measure := range limited {
		if standing, known := e.tightest(measure); known {
			names[i].write(e.w.Header(), standing, e.handler.config.Now())
		}
	}
}

// tightest is the standing of the limit that has the least left; of two, the one that takes
// longer to start over.
func (e *exchange) tightest(measure policyv1.QuotaMeasure) (least quota.Standing, known bool) {
	look := func(q *quota.Quota, subject string) {
		if q.Measure != measure || !q.Hard() {
			return
		}
		s, ok := e.handler.config.Quotas.Standing(q, subject)
		if ok && (!known || s.Left < least.Left || s.Left == least.Left && s.Resets > least.Resets) {
			least, known = s, true
		}
	}
	for _, c := range e.counted {
		look(c.Quota, c.Subject)
	}
	if e.up != nil {
		for _, q := range e.up.target.Provider.Quotas() {
			look(q, "")
		}
	}
	if e.lacked != nil && e.up == nil {
		look(e.lacked.Quota, e.lacked.Subject)
	}
	return least, known
}

func (l *limitHeaders) write(header http.Header, s quota.Standing, now time.Time) {
	header[l.limit] = []string{strconv.FormatInt(s.Limit, 10)}
	header[l.remaining] = []string{strconv.FormatInt(s.Left, 10)}
	if s.Resets > 0 {
		header[l.reset] = []string{l.when(now, s.Resets)}
	}
}
