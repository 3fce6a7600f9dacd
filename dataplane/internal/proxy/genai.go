package proxy

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// surfaceKinds is more than usagev1.Surface has.
const surfaceKinds = 64

// maxTargets is how many operations on models of providers have series of their own since
// the start; what comes later is counted as the model "_other".
const maxTargets = 300

// Names, labels and buckets are those of OpenTelemetry's semantic conventions 1.41 for
// generative AI, in Prometheus' spelling: https://opentelemetry.io/docs/specs/semconv/gen-ai/
var (
	durationBuckets = []float64{.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	firstBuckets    = []float64{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
	perTokenBuckets = []float64{.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5}
	tokenBuckets    = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
)

// genAI are the metrics of attempts. Labels are of the policy or of fixed sets; buckets are
// classic ones, which every server of metrics scrapes.
type genAI struct {
	duration, first, perToken, tokens *prometheus.HistogramVec
	// found is for the policy that was served last.
	found atomic.Pointer[foundSeries]
	mu    sync.Mutex // only where a target has no series yet
	known map[[4]string]bool
}

// foundSeries are the series of the targets of one policy, by surface, so that no request
// looks them up by their labels.
type foundSeries struct {
	policy *snapshot.Policy
	of     [surfaceKinds]sync.Map // of *snapshot.Target → *targetSeries
}

// targetSeries are those of one operation on one model of a provider.
type targetSeries struct {
	labels                             [4]string
	ok, first, perToken, input, output prometheus.Observer
}

func newGenAI() *genAI {
	labels := []string{"gen_ai_operation_name", "gen_ai_provider_name", "weir_provider", "gen_ai_request_model"}
	histogram := func(name, help string, buckets []float64, more ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, append(append([]string{}, labels...), more...))
	}
	return &genAI{
		known: map[[4]string]bool{},
		duration: histogram("gen_ai_client_operation_duration_seconds",
			"Time of an attempt at a provider, its answer included; error_type is empty where it went well.", durationBuckets, "error_type"),
		first: histogram("gen_ai_server_time_to_first_token_seconds",
			"Time from an attempt's begin to the first content that went to the caller.", firstBuckets),
		perToken: histogram("gen_ai_server_time_per_output_token_seconds",
			"Time per output token behind the first one, of streams that ended well.", perTokenBuckets),
		tokens: histogram("gen_ai_client_token_usage",
			"Tokens of an attempt, as the provider reported them.", tokenBuckets, "gen_ai_token_type"),
	}
}

func (g *genAI) collectors() []prometheus.Collector {
	return []prometheus.Collector{g.duration, g.first, g.perToken, g.tokens}
}

// of finds the series of an attempt.
func (g *genAI) of(u *upstream) *targetSeries {
	e := u.exchange
	found := g.found.Load()
	if found == nil || found.policy != e.policy {
		found = &foundSeries{policy: e.policy}
		g.found.Store(found)
	}
	at := &found.of[int(e.surface.records)%surfaceKinds]
	if series, ok := at.Load(u.target); ok {
		return series.(*targetSeries)
	}
	series := g.make(e.surface, u.target)
	at.Store(u.target, series)
	return series
}

func (g *genAI) make(surface *surface, target *snapshot.Target) *targetSeries {
	labels := [4]string{surface.operation(), providerName(target.Provider.Dialect), target.Provider.Name, target.Model}
	g.mu.Lock()
	if !g.known[labels] && len(g.known) >= maxTargets {
		labels = [4]string{labels[0], labels[1], "_other", "_other"}
	} else {
		g.known[labels] = true
	}
	g.mu.Unlock()
	all := labels[:]
	with := func(v *prometheus.HistogramVec, more ...string) prometheus.Observer {
		return v.WithLabelValues(append(append([]string{}, all...), more...)...)
	}
	return &targetSeries{
		labels: labels,
		ok:     with(g.duration, ""), first: with(g.first), perToken: with(g.perToken),
		input: with(g.tokens, "input"), output: with(g.tokens, "output"),
	}
}

// attempt observes one that ended.
func (g *genAI) attempt(u *upstream) {
	a, series := u.attempt, g.of(u)
	whole := time.Duration(a.DurationUs) * time.Microsecond
	first := time.Duration(a.TimeToFirstTokenUs) * time.Microsecond
	if failure := errorType(a); failure == "" {
		series.ok.Observe(whole.Seconds())
	} else {
		l := series.labels
		g.duration.WithLabelValues(l[0], l[1], l[2], l[3], failure).Observe(whole.Seconds())
	}
	if first > 0 {
		series.first.Observe(first.Seconds())
	}
	if a.UsageSource != usagev1.UsageSource_USAGE_SOURCE_REPORTED {
		return
	}
	input, output := tokens(a.Usage)
	series.input.Observe(float64(input))
	series.output.Observe(float64(output))
	if u.exchange.record.Streamed && a.Outcome == usagev1.Outcome_OUTCOME_OK && output > 1 && first > 0 {
		series.perToken.Observe((whole - first).Seconds() / float64(output-1))
	}
}

// tokens are all of the input and of the output.
func tokens(u *usagev1.TokenUsage) (input, output int64) {
	return u.GetInput() + u.GetCacheRead() + u.GetCacheWrite_5M() + u.GetCacheWrite_1H() + u.GetInputAudio() + u.GetInputImage(),
		u.GetOutput() + u.GetReasoning() + u.GetOutputAudio() + u.GetOutputImage()
}

// errorType is of a fixed set; empty: the attempt went well.
func errorType(a *usagev1.Attempt) string {
	switch a.Outcome {
	case usagev1.Outcome_OUTCOME_OK:
		return ""
	case usagev1.Outcome_OUTCOME_UPSTREAM_ERROR:
		switch status := int(a.Status); {
		case http.StatusText(status) != "" && status >= http.StatusBadRequest, status == 529:
			return strconv.Itoa(status)
		case status >= 500:
			return "5xx"
		case status >= 400:
			return "4xx"
		}
	}
	return outcomeName(a.Outcome)
}

// operation is the conventions' name of what a surface does.
func (s *surface) operation() string {
	switch s.records {
	case usagev1.Surface_SURFACE_OPENAI_COMPLETIONS:
		return "text_completion"
	case usagev1.Surface_SURFACE_OPENAI_EMBEDDINGS, usagev1.Surface_SURFACE_GEMINI_EMBED:
		return "embeddings"
	case usagev1.Surface_SURFACE_GEMINI_GENERATE:
		return "generate_content"
	case usagev1.Surface_SURFACE_OPENAI_CHAT, usagev1.Surface_SURFACE_OPENAI_RESPONSES, usagev1.Surface_SURFACE_ANTHROPIC_MESSAGES:
		return "chat"
	}
	// The conventions know nothing of it.
	return strings.ToLower(strings.TrimPrefix(s.records.String(), "SURFACE_"))
}

// providerName is the conventions' name of whoever speaks a dialect.
func providerName(dialect policyv1.Dialect) string {
	switch dialect {
	case policyv1.Dialect_DIALECT_OPENAI:
		return "openai"
	case policyv1.Dialect_DIALECT_AZURE_OPENAI:
		return "azure.ai.openai"
	case policyv1.Dialect_DIALECT_ANTHROPIC:
		return "anthropic"
	case policyv1.Dialect_DIALECT_GEMINI:
		return "gcp.gemini"
	case policyv1.Dialect_DIALECT_VERTEX:
		return "gcp.vertex_ai"
	case policyv1.Dialect_DIALECT_BEDROCK:
		return "aws.bedrock"
	}
	return "openai_compatible" // of which the conventions know nothing
}
