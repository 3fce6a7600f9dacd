package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/weirhq/weir/dataplane/llmtest"
)

// ask is one request of an application: what is sent, and what came back.
type ask struct {
	marker   string
	tenant   *tenant
	agent    string
	shape    shape
	route    string
	streamed bool
	tokens   int // the cap of its answer
	// badKey: the gateway does not know its key.
	badKey bool
	// leaves: the caller goes after so long; 0: it stays.
	leaves time.Duration
	faults []llmtest.Fault

	begun, ended time.Time
	status       int    // 0: no answer
	id           string // x-weir-request-id
	code         string // why Weir did not record it, if it said so
	cost         string // x-weir-cost, dollars
	whole        bool   // a good answer came to its end
}

// clean: nothing was planned to befall it.
func (a *ask) clean() bool {
	for _, f := range a.faults {
		if f.Kind != llmtest.None {
			return false
		}
	}
	return !a.badKey && a.leaves == 0
}

// shape is a surface: where to ask, with what, and how its answers end.
type shape struct {
	name   string
	routes []string
	path   func(a *ask) string
	body   func(a *ask) string
	// ends: one of them is in every stream that came whole.
	ends []string
	// whole: it has no streams.
	whole bool
}

func fixed(path string) func(*ask) string { return func(*ask) string { return path } }

var shapes = []shape{
	{
		name: "openai_chat", routes: []string{"openai", "claude", "gemini", "either"}, path: fixed("/v1/chat/completions"), ends: []string{"data: [DONE]"},
		body: func(a *ask) string {
			return fmt.Sprintf(`{"model":%q,"stream":%t,"max_tokens":%d,"messages":[{"role":"user","content":"count me %s"}]}`, a.route, a.streamed, a.tokens, a.marker)
		},
	},
	{
		name: "openai_responses", routes: []string{"openai"}, path: fixed("/v1/responses"), ends: []string{`"type":"response.completed"`, `"type":"response.incomplete"`},
		body: func(a *ask) string {
			return fmt.Sprintf(`{"model":%q,"stream":%t,"max_output_tokens":%d,"store":false,"input":"count me %s"}`, a.route, a.streamed, max(a.tokens, 16), a.marker)
		},
	},
	{
		name: "anthropic_messages", routes: []string{"claude", "openai"}, path: fixed("/v1/messages"), ends: []string{`"message_stop"`},
		body: func(a *ask) string {
			return fmt.Sprintf(`{"model":%q,"stream":%t,"max_tokens":%d,"messages":[{"role":"user","content":"count me %s"}]}`, a.route, a.streamed, a.tokens, a.marker)
		},
	},
	{
		name: "gemini_generate", routes: []string{"gemini"}, ends: []string{"finishReason"},
		path: func(a *ask) string {
			if a.streamed {
				return "/v1beta/models/" + a.route + ":streamGenerateContent?alt=sse"
			}
			return "/v1beta/models/" + a.route + ":generateContent"
		},
		body: func(a *ask) string {
			return fmt.Sprintf(`{"contents":[{"role":"user","parts":[{"text":"count me %s"}]}],"generationConfig":{"maxOutputTokens":%d}}`, a.marker, a.tokens)
		},
	},
	{
		name: "openai_embeddings", routes: []string{"embed"}, path: fixed("/v1/embeddings"), whole: true,
		body: func(a *ask) string { return fmt.Sprintf(`{"model":%q,"input":"count me %s"}`, a.route, a.marker) },
	},
}

// draw makes up a request. Most are served well; the others are what a provider and callers
// do on a bad day.
func draw(r *rand.Rand, t *tenant) *ask {
	s := shapes[r.IntN(len(shapes))]
	a := &ask{
		marker: fmt.Sprintf("chaos-%016x%016x", r.Uint64(), r.Uint64()), tenant: t, shape: s,
		route: s.routes[r.IntN(len(s.routes))], streamed: !s.whole && r.IntN(2) == 0, tokens: 20 + r.IntN(60),
	}
	switch n := r.IntN(100); {
	case n < 2:
		a.badKey = true
	case n < 7:
		a.leaves = time.Duration(r.IntN(400)) * time.Millisecond
	}
	a.faults = []llmtest.Fault{befalls(r)}
	if a.route == "either" && r.IntN(3) == 0 {
		a.faults = []llmtest.Fault{{Kind: llmtest.Status, Status: http.StatusInternalServerError}, befalls(r)}
	}
	return a
}

// befalls is what the provider does to one attempt.
func befalls(r *rand.Rand) llmtest.Fault {
	f := llmtest.Fault{
		AnswerTokens: 1 + r.IntN(60), CachedTokens: r.IntN(2) * 2, After: r.IntN(8),
		Delay: time.Duration(r.IntN(60)) * time.Millisecond, TokenDelay: time.Duration(r.IntN(12)) * time.Millisecond,
	}
	switch n := r.IntN(100); {
	case n < 4:
		f.Kind, f.Status = llmtest.Status, []int{400, 429, 500, 503}[r.IntN(4)]
	case n < 7:
		f.Kind = llmtest.Cut
	case n < 8:
		f.Kind = llmtest.Stall
	case n < 11:
		f.Kind = llmtest.NoUsage
	case n < 13:
		f.Kind = llmtest.ErrorEvent
	case n < 15:
		f.Kind = []llmtest.Kind{llmtest.Reset, llmtest.Empty, llmtest.Malformed, llmtest.NoDone, llmtest.ErrorBody}[r.IntN(5)]
	}
	if r.IntN(4) == 0 {
		f.IgnoreCancel = true // it goes on, and bills, when the agent is gone
	}
	return f
}
