// Package conformance holds the agent to what the providers' official SDKs expect of it:
// each SDK speaks, unchanged, to each kind of provider through the real request path, and
// what its typed objects say, what the provider got, and what was recorded is compared. A
// new SDK or provider is a row of a table. It has tests only and must not know how the
// agent translates.
package conformance_test

import (
	"encoding/json"
	"testing"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// talk is what an application asks, in no dialect. It is JSON for SDKs of other languages.
type talk struct {
	Base    string `json:"base"`
	Key     string `json:"key"`
	Route   string `json:"route"`
	Stream  bool   `json:"stream"`
	Retries int    `json:"retries"`

	System string          `json:"system,omitempty"`
	Turns  []turn          `json:"turns"`
	Tools  []tool          `json:"tools,omitempty"`
	Schema json.RawMessage `json:"schema,omitempty"`
	Stop   []string        `json:"stop,omitempty"`
	Max    int64           `json:"max"`
	// Think asks for a little of it.
	Think bool `json:"think,omitempty"`
}

// turn is a user's, or an answer that goes back as the SDK had it.
type turn struct {
	Text    string          `json:"text,omitempty"`
	Image   []byte          `json:"image,omitempty"` // PNG
	PDF     []byte          `json:"pdf,omitempty"`
	Results []result        `json:"results,omitempty"`
	Answer  json.RawMessage `json:"answer,omitempty"`
}

type tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`
}

type result struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Text string `json:"text"`
}

// answer is what the SDK's objects say.
type answer struct {
	Text      string `json:"text"`
	Thinking  string `json:"thinking"`
	Signature string `json:"signature"`
	Calls     []call `json:"calls"`
	Stop      string `json:"stop"`
	Sequence  string `json:"sequence"`
	// Input has the cached tokens in it, Output those of reasoning.
	Input  int64 `json:"input"`
	Cached int64 `json:"cached"`
	Output int64 `json:"output"`
	// Lossy is the header of that name.
	Lossy string `json:"lossy"`
	// Again is the answer in the form in which it is sent back.
	Again json.RawMessage `json:"again"`
	// Failure is what the SDK threw instead, or at the end.
	Failure *failure `json:"failure"`
}

type call struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// failure is an error as the SDK tells it. Status is 0 inside of a stream.
type failure struct {
	Status     int    `json:"status"`
	Type       string `json:"type"`
	Code       string `json:"code"`
	Message    string `json:"message"`
	RetryAfter string `json:"retry_after"`
}

// stop is why an answer ended.
type stop int

const (
	ended stop = iota
	toCall
	cutShort
	onSequence
)

// speaker is an SDK on the surface that it is made for.
type speaker struct {
	name string
	// script is the program of node/ for the same surface.
	script string
	ask    func(*testing.T, talk) answer
	// stops are its words for why an answer ended.
	stops map[stop]string
	// types are its words for errors, by status; those of the providers of its own dialect
	// pass as they are.
	types, own map[int]string
	dialect    policyv1.Dialect
	// sequence is what X-Weir-Lossy says where it is not told which one ended the answer;
	// empty: it is.
	sequence string
	// display is what X-Weir-Lossy says where thinking is not shown, effort where it is
	// shown instead of that; empty: it was not asked to be.
	display, effort string
	// stopless: it knows no stop sequences. responses: it asks for these, not for chats.
	stopless, responses bool
	// strict is what X-Weir-Lossy says where tools can't be that; empty: they were not asked to
	// be.
	strict string
	// opaque: signatures go back in the SDK's own wrapping.
	opaque bool
	// callSignature is what it says where signed calls lose that; empty: they keep it.
	callSignature string
}

// passes tells whether what a provider says gets to the SDK as it is.
func (s *speaker) passes(p *provider) bool {
	if s.responses { // servers of others are asked for chats
		return p.own.Dialect == policyv1.Dialect_DIALECT_OPENAI || p.own.Dialect == policyv1.Dialect_DIALECT_AZURE_OPENAI
	}
	return s.dialect == dialectOf(p.own.Dialect)
}

// passesThinking tells whether OpenAI's reasoning is shown and sealed, as it is where no chat
// comes between.
func (s *speaker) passesThinking(p *provider) bool { return s.responses && s.passes(p) }

// tries tells whether there is anything to try of a scenario.
func (s *speaker) tries(scenario string) bool { return scenario != "stop" || !s.stopless }

// dialectOf is the one that is spoken.
func dialectOf(d policyv1.Dialect) policyv1.Dialect {
	switch d {
	case policyv1.Dialect_DIALECT_OPENAI_COMPATIBLE, policyv1.Dialect_DIALECT_AZURE_OPENAI:
		return policyv1.Dialect_DIALECT_OPENAI
	case policyv1.Dialect_DIALECT_VERTEX:
		return policyv1.Dialect_DIALECT_GEMINI
	}
	return d
}

// canonical is JSON with its names in order.
func canonical(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%q is not JSON: %v", text, err)
	}
	return encoded(v)
}

func encoded(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
