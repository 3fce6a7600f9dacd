package proxy_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// fate is what becomes of an attempt that a fault befalls, and of its caller.
type fate struct {
	outcome usagev1.Outcome
	source  usagev1.UsageSource
	// status is what the caller gets where nothing follows and no stream began; says is in
	// what it is told, in any case.
	status int
	says   string
}

// passes: the caller gets what came; no other attempt mends it.
func passes(source usagev1.UsageSource) fate { return fate{answered, source, 200, ""} }

func wrong(status int, source usagev1.UsageSource) fate {
	return fate{upstreamError, source, status, `"error"`}
}

// A fault is told before any content (After 0, or in place of a stream) and behind some
// (After 9). A stream's own bytes pass where both sides speak the same dialect, whatever they
// are, and are read where they don't.
type faulty struct {
	fault            llmtest.Fault
	same, translated fate
}

const behind = 9 // events, all openings and some content

var (
	brokeOff  = fate{broke, estimated, 502, "upstream_broke"}
	timedOut  = fate{broke, estimated, 504, "timeout idle"}
	malformed = fate{broke, estimated, 502, "upstream_malformed"}
	empty     = fate{broke, estimated, 502, "upstream_empty"}
	mute504   = fate{unreachable, estimated, 504, "timeout first_byte"}
	goneAway  = fate{unreachable, estimated, 502, "upstream_unreachable"}
	midway    = fate{upstreamError, estimated, 200, `error`}
	midway502 = fate{upstreamError, estimated, 502, `error`}
)

func both(f llmtest.Fault, all fate) faulty { return faulty{f, all, all} }

// befallsBoth befalls whole answers and streams alike, before anything came.
var befallsBoth = map[string]faulty{
	"bad_request":     both(llmtest.Fault{Kind: llmtest.Status, Status: 400}, wrong(400, none)),
	"rate_limited":    both(llmtest.Fault{Kind: llmtest.Status, Status: 429}, wrong(429, none)),
	"internal":        both(llmtest.Fault{Kind: llmtest.Status, Status: 500}, wrong(500, none)),
	"bad_gateway":     both(llmtest.Fault{Kind: llmtest.Status, Status: 502}, wrong(502, estimated)),
	"unavailable":     both(llmtest.Fault{Kind: llmtest.Status, Status: 503}, wrong(503, none)),
	"gateway_timeout": both(llmtest.Fault{Kind: llmtest.Status, Status: 504}, wrong(504, estimated)),
	"cloudflare":      both(llmtest.Fault{Kind: llmtest.Status, Status: 524}, wrong(524, estimated)),
	"overloaded":      both(llmtest.Fault{Kind: llmtest.Status, Status: 529}, wrong(529, none)),
	"reset":           both(llmtest.Fault{Kind: llmtest.Reset}, goneAway),
	"mute":            both(llmtest.Fault{Delay: time.Hour}, mute504),
	"mute_for_ever":   both(llmtest.Fault{Delay: time.Hour, IgnoreCancel: true}, mute504),
	"error_body":      {llmtest.Fault{Kind: llmtest.ErrorBody}, midway, midway502},
}

var befallsWhole = map[string]faulty{
	"stall":        both(llmtest.Fault{Kind: llmtest.Stall}, mute504),
	"cut":          both(llmtest.Fault{Kind: llmtest.Cut}, brokeOff),
	"empty":        both(llmtest.Fault{Kind: llmtest.Empty}, empty),
	"malformed":    {llmtest.Fault{Kind: llmtest.Malformed}, passes(estimated), malformed},
	"content_type": {llmtest.Fault{Kind: llmtest.ContentType}, passes(estimated), malformed},
	"huge":         both(llmtest.Fault{Kind: llmtest.Huge, Size: 512 << 10}, passes(reported)),
	"too_large":    both(llmtest.Fault{Kind: llmtest.Huge, Size: 2 << 20}, fate{broke, estimated, 502, "upstream_too_large"}),
}

var befallsStreams = map[string]faulty{
	"stall":        both(llmtest.Fault{Kind: llmtest.Stall}, mute504),
	"stall_opened": both(llmtest.Fault{Kind: llmtest.Stall, After: 1}, timedOut),
	"stall_mutely": both(llmtest.Fault{Kind: llmtest.Stall, After: 1, IgnoreCancel: true}, timedOut),
	"cut":          both(llmtest.Fault{Kind: llmtest.Cut}, brokeOff),
	"empty":        both(llmtest.Fault{Kind: llmtest.Empty}, brokeOff),
	"malformed":    {llmtest.Fault{Kind: llmtest.Malformed}, passes(reported), malformed},
	"error_event":  both(llmtest.Fault{Kind: llmtest.ErrorEvent}, midway),
	"content_type": {llmtest.Fault{Kind: llmtest.ContentType}, passes(estimated), malformed},
	"no_end":       both(llmtest.Fault{Kind: llmtest.NoDone}, passes(reported)),
	"stall_behind": both(llmtest.Fault{Kind: llmtest.Stall, After: behind}, timedOut),
	"cut_behind":   both(llmtest.Fault{Kind: llmtest.Cut, After: behind}, brokeOff),
	"error_behind": both(llmtest.Fault{Kind: llmtest.ErrorEvent, After: behind}, midway),
	"bad_behind":   {llmtest.Fault{Kind: llmtest.Malformed, After: behind}, passes(reported), malformed},
	"huge_behind":  {llmtest.Fault{Kind: llmtest.Huge, After: behind, Size: 1 << 20}, passes(reported), malformed},
}

// lastEvents are the errors that end a stream, by surface.
var lastEvents = map[string]*regexp.Regexp{
	"chat":      regexp.MustCompile(`^data: \{"error":`),
	"responses": regexp.MustCompile(`^event: (error\ndata: \{.*"type":"error"|response.failed\ndata: \{.*"type":"response.failed")`),
	"messages":  regexp.MustCompile(`^event: error\ndata: \{"type": ?"error"`),
	"gemini":    regexp.MustCompile(`^data: \{"error": ?\{\s*"code":`),
}

// row is one cell of the matrix: a fault on a surface by a way, with a target that follows or
// without.
type row struct {
	name    string
	surface chatSurface
	target  *policyv1.Target
	next    *policyv1.Target // nil: none follows
	fault   llmtest.Fault
	fate    fate
	stream  bool
}

// committed: the caller has content. Google's streams have no opening, and an end that only
// says that it is one.
func (r *row) committed() bool {
	return r.fault.After == behind || r.target.ProviderId == "gemini" && r.fault.After > 0 || r.fault.Kind == llmtest.NoDone
}

func (r *row) stalls() bool { return r.fault.Kind == llmtest.Stall || r.fault.Delay > 0 }

// mended: another attempt gives the caller its answer.
func (r *row) mended() bool {
	return r.next != nil && r.fate.outcome != answered && !r.committed() && r.fault.Status != 400 && r.fate.says != "upstream_too_large"
}

// TestFaultMatrix is every fault that the mocks know, on every chat surface, by a provider of
// the same dialect and by one of another, where another target may follow and where none does.
func TestFaultMatrix(t *testing.T) {
	cells := 0
	for name, surface := range chatSurfaces {
		other, second := to("claude", sonnet, 0), to("claude", "claude-next", 0)
		if name == "messages" {
			other, second = to("mock", "gpt-4o", 0), to("mock", "odd-model", 0)
		}
		ways := map[string][2]*policyv1.Target{
			"same": {to(surface.provider, surface.model, 0), to(surface.provider, "next-model", 0)}, "translated": {other, second},
		}
		for way, targets := range ways {
			for form, faults := range map[string][]map[string]faulty{"whole": {befallsBoth, befallsWhole}, "stream": {befallsBoth, befallsStreams}} {
				for _, set := range faults {
					for fault, f := range set {
						fate := map[string]fate{"same": f.same, "translated": f.translated}[way]
						switch {
						case name != "responses" && name != "gemini" || way != "same":
						case f.fault.Kind == llmtest.NoDone:
							fate = brokeOff // nothing else says that it is whole
						case name == "responses" && form == "whole" && f.fault.Kind == llmtest.Huge:
							continue // the mock has none
						}
						for follows, next := range map[string]*policyv1.Target{"alone": nil, "followed": targets[1]} {
							cells++
							r := &row{name, surface, targets[0], next, f.fault, fate, form == "stream"}
							t.Run(strings.Join([]string{name, way, form, fault, follows}, "/"), func(t *testing.T) {
								t.Parallel()
								r.holds(t)
							})
						}
					}
				}
			}
		}
	}
	t.Logf("%d cells", cells)
}

func (r *row) holds(t *testing.T) {
	targets := []*policyv1.Target{r.target}
	if r.next != nil {
		targets = append(targets, r.next)
	}
	h := everywhere(t, &policyv1.Route{Strategy: priority, Targets: targets}, func(c *proxy.Config) { c.MaxAnswerBytes, c.MaxEventBytes = 1<<20, 64<<10 })
	if r.stalls() {
		h.impatient(t, r.target, targets)
	}
	h.mock.Script(r.fault)
	response, text := h.askBy(&r.surface, r.stream)
	_, ended := h.record()
	first := ended.Attempts[0]
	if first.Outcome != r.fate.outcome || first.UsageSource != r.fate.source {
		t.Errorf("the attempt is recorded as %v", first)
	}
	attempts := map[bool]int{true: 2, false: 1}[r.mended()]
	if len(ended.Attempts) != attempts || len(h.mock.Requests()) != attempts {
		t.Errorf("%d attempts, the upstream was asked %d times", len(ended.Attempts), len(h.mock.Requests()))
	}
	r.told(t, response, text, ended)
	if r.stalls() && !r.fault.IgnoreCancel {
		eventually(t, "the upstream is let go", func() bool { return len(h.mock.Interruptions()) > 0 })
	}
}

// impatient has a provider of its own for the first target: only the one that stalls is not
// waited for, so that a slow machine changes nothing.
func (h *harness) impatient(t *testing.T, first *policyv1.Target, targets []*policyv1.Target) {
	t.Helper()
	base := h.provider(first.ProviderId)
	base.Id, base.Name = "first", "first"
	base.Timeouts = &policyv1.Timeouts{FirstByteMs: 250, IdleMs: 600}
	targets = append([]*policyv1.Target{to("first", first.Model, 0)}, targets[1:]...)
	route := &policyv1.Route{Id: "r-routed", Name: "routed", Strategy: priority, Targets: targets}
	h.extra = append(h.extra[:len(h.extra)-1], resource(t, "provider", "first", base), resource(t, "route", route.Id, route))
	h.holder.Store(h.policy(h.upstream.URL))
}

// told holds what the caller saw.
func (r *row) told(t *testing.T, response *http.Response, text string, ended *usagev1.UsageRecord) {
	t.Helper()
	shown := text
	if len(text) > 1000 {
		shown = text[:500] + " … " + text[len(text)-500:]
	}
	streamed := strings.HasPrefix(response.Header.Get("Content-Type"), sseType)
	switch {
	case r.mended():
		end := r.surface.whole
		if r.stream {
			end = r.surface.end
		}
		if response.StatusCode != 200 || !strings.Contains(text, end) || strings.Contains(text, "upstream_") ||
			ended.Outcome != answered || ended.Attempts[1].UsageSource != reported {
			t.Errorf("%d %s, recorded %v", response.StatusCode, shown, ended)
		}
	case r.fate.outcome == answered:
		if response.StatusCode != 200 || ended.Outcome != answered {
			t.Errorf("%d %s", response.StatusCode, shown)
		}
	case streamed:
		events := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), "\n\n")
		last := events[len(events)-1]
		if response.StatusCode != 200 || ended.Status != 200 || !lastEvents[r.name].MatchString(last) || !r.saysIn(last) || strings.Contains(text, r.surface.end) {
			t.Errorf("%d, the last event is %s", response.StatusCode, last)
		}
	default:
		if response.StatusCode != r.fate.status || int(ended.Status) != r.fate.status || !strings.Contains(text, `"error"`) || !r.saysIn(text) {
			t.Errorf("%d %s", response.StatusCode, shown)
		}
	}
}

// saysIn compares without the letters' case: codes of Google's are in capitals.
func (r *row) saysIn(text string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(r.fate.says))
}
