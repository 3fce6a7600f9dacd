package gemini

import (
	"math/rand/v2"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// Provider asks upstreams that speak Gemini.
type Provider struct {
	// wanted candidates, at least 1; ended are those that said why.
	wanted, ended int
	begun         bool
	id            string
	calls         int
	candidates    map[int]*candidate // of a stream, by their index
	vertex        bool
}

var _ chat.Provider = (*Provider)(nil)

// NewProvider is for one attempt at Gemini's own API.
func NewProvider() *Provider { return &Provider{wanted: 1} }

// NewVertex is for one attempt at Vertex AI, which takes labels, too.
// Source: https://github.com/googleapis/go-genai/blob/main/models.go
func NewVertex() *Provider { return &Provider{wanted: 1, vertex: true} }

// Request writes the body of generateContent and streamGenerateContent, which do not name
// the model. What is left out is named as chat.Request's own fields are, in snake case:
// "messages.name", "tools.strict". The error is a *chat.Fault.
func (p *Provider) Request(r *chat.Request) ([]byte, chat.Lossy, error) {
	p.wanted = int(max(r.N, 1))
	w := &writer{request: r, vertex: p.vertex, out: out{b: make([]byte, 0, r.Size())}}
	w.begin('{')
	w.system()
	w.contents()
	w.tools()
	w.config()
	w.rest()
	w.end('}')
	if w.fault != nil {
		return nil, nil, w.fault
	}
	return w.b, w.lossy, nil
}

// writer writes one request.
type writer struct {
	out
	request *chat.Request
	vertex  bool
	lossy   chat.Lossy
	fault   *chat.Fault
	names   map[string]string // of tools, by the ids of their calls
}

func (w *writer) system() {
	if len(w.request.System) == 0 {
		return
	}
	w.open("systemInstruction", '{')
	w.open("parts", '[')
	for i := range w.request.System {
		w.textPart(&w.request.System[i], "system")
	}
	w.end(']')
	w.end('}')
}

// rest writes what stands beside the conversation and its settings.
func (w *writer) rest() {
	r := w.request
	if r.User != "" {
		w.lossy.Add("user")
	}
	if len(r.Metadata) > 0 {
		w.labels()
	}
	switch r.ServiceTier {
	case "", "auto":
	case "default", "standard":
		w.text("serviceTier", "standard")
	case "flex", "priority":
		w.text("serviceTier", r.ServiceTier)
	default:
		w.lossy.Add("service_tier")
	}
}

// newID is for calls of models that give none: the caller has to tell them apart.
func newID(answer string, at int) string {
	if answer == "" {
		answer = strconv.FormatUint(rand.Uint64(), 36)
	}
	return "call_" + answer + "_" + strconv.Itoa(at)
}
