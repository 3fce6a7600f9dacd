// Package llmtest is a mock of the upstream LLM providers, for tests, load tests and the all-in-one.
//
// It owns a faithful wire format, answers and token counts that are pure functions of the request, an account of
// what it served, the requests as they came in, and faults that happen on demand. It speaks OpenAI's API,
// Anthropic's messages, Gemini and Bedrock's Converse; each further dialect is some more files that render its own
// events through the same stream and faults. It must not import anything of the agent: what it says about the wire is an
// independent witness.
package llmtest

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultAnswerTokens = 20
	defaultKeptRequests = 256
	maxKeptBytes        = 64 << 20
	maxBodyBytes        = 64 << 20
)

// Options configure a Server. The zero value serves any model to callers with an empty key; set APIKey.
type Options struct {
	// APIKey is the key callers must send as "Authorization: Bearer <key>", or as their
	// dialect has it.
	APIKey string
	// AWS is the key that requests to Bedrock are signed with, besides its API keys.
	AWS AWSKey
	// Bearer tells which OAuth tokens the paths of Vertex AI and Azure accept. Nil: the APIKey
	// at Vertex, none at Azure.
	Bearer func(token string) bool
	// Models are served by GET /v1/models; any other model gets 404. Nil lists a few known names and serves all.
	Models []string
	// AnswerTokens is the length of an uncapped answer, in tokens. Zero means 20.
	AnswerTokens int
	// CachedTokens of every prompt are said to come from the provider's cache, at most the whole prompt.
	CachedTokens int
	// ReasoningTokens are spent before every answer, within the caller's output cap.
	ReasoningTokens int
	// Delay passes before the first byte of every answer.
	Delay time.Duration
	// TokenDelay passes before every token of a choice.
	TokenDelay time.Duration
	// KeepRequests bounds what Requests returns. Zero means 256, negative none; never more than 64 MiB of bodies.
	KeepRequests int
	// Now gives the time of "created" fields. Nil means time.Now.
	Now func() time.Time
	// Billed is told of every request that the ledger counts under a model, with the context
	// of that request, before the answer's last byte. Nil: nobody is.
	Billed func(ctx context.Context, bill Bill)
}

// Bill is what one request is charged for: what was generated until it ended, whether or
// not the caller was told.
type Bill struct {
	Model string
	// Completed: the answer went out to its end.
	Completed bool
	Tokens    Tokens
}

// Server is the mock provider. It is an http.Handler and safe for concurrent use.
type Server struct {
	options Options
	mux     *http.ServeMux
	script  script
	ledger  account
	kept    recorder
	served  atomic.Int64
	closed  chan struct{}
	closing sync.Once
}

var _ http.Handler = (*Server)(nil)

// New makes a server; nothing runs until requests come.
func New(options Options) *Server {
	if options.AnswerTokens == 0 {
		options.AnswerTokens = defaultAnswerTokens
	}
	if options.KeepRequests == 0 {
		options.KeepRequests = defaultKeptRequests
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Server{options: options, mux: http.NewServeMux(), closed: make(chan struct{})}
	s.kept.limit = options.KeepRequests
	s.ledger.reset()
	s.routeControl()
	s.routeOpenAI()
	s.routeAzure()
	s.routeAnthropic()
	s.routeGemini()
	s.routeBedrock()
	return s
}

// ServeHTTP answers as the provider would, or as the script says.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close ends every stalled or delayed answer, also those that ignore cancellation. The server stays usable for
// requests without delays.
func (s *Server) Close() { s.closing.Do(func() { close(s.closed) }) }

// Script appends faults; each authenticated request to a completion endpoint takes the first that fits it.
func (s *Server) Script(faults ...Fault) { s.script.add(faults...) }

// Reset forgets the script, the ledger and the requests.
func (s *Server) Reset() {
	s.script.clear()
	s.ledger.reset()
	s.kept.reset()
}

// Ledger returns what was served so far.
func (s *Server) Ledger() Ledger { return s.ledger.snapshot() }

// Requests returns the latest requests as received, oldest first, those refused included.
func (s *Server) Requests() []Request { return s.kept.snapshot() }

// Interruptions are when answers that the ledger counts as interrupted ended, in the order in which they did:
// how soon an upstream learns that its caller left.
func (s *Server) Interruptions() []time.Time { return s.ledger.interruptions() }
