package openai

import (
	"fmt"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// Surface is chat completions as applications speak it, where another dialect serves
// them. It is of one request.
//
// Thinking reaches the caller as reasoning_content, beside content, which most clients
// read or skip (https://api-docs.deepseek.com/guides/thinking_mode). Thinking that is
// signed, or redacted, comes whole as well, in thinking_blocks
// (https://docs.litellm.ai/docs/reasoning_content): sent back, it keeps its signature. That of a
// call is its extra_content.google.thought_signature
// (https://ai.google.dev/gemini-api/docs/thought-signatures).
type Surface struct {
	now func() time.Time
	// legacy: the caller knows functions and no tools.
	legacy bool
	// asksUsage: the caller wants the usage event of a stream.
	asksUsage bool
	stream    writing
}

var _ chat.Surface = (*Surface)(nil)

// NewSurface is for one request.
func NewSurface() *Surface { return &Surface{now: time.Now} }

// reading is a request on its way into the model.
type reading struct {
	surface *Surface
	request *chat.Request
	seen    map[string]bool
	lost    jsonvalue.Lost
	// turns knows the calls of the messages read so far.
	turns turns
	// allowed are the tools that tool_choice leaves; nil: all.
	allowed map[string]bool
	// olderCap is max_tokens; olderUser is user. Their successors win.
	olderCap  int64
	olderUser string
}

// Request reads a body.
func (s *Surface) Request(body []byte) (*chat.Request, *chat.Fault) {
	fields, err := jsonscan.Fields(nil, body, nil)
	if err != nil {
		return nil, &chat.Fault{Message: fmt.Sprintf("The request body is not a JSON object: %s.", err)}
	}
	r := &reading{surface: s, request: &chat.Request{}, seen: make(map[string]bool, len(topReaders))}
	r.lost.In = &r.request.Lossy
	for _, field := range fields {
		if fault := r.field(string(jsonscan.Plain(field.Name)), field.Value); fault != nil {
			return nil, fault
		}
	}
	return r.request, r.complete()
}

// field reads one of the body. What means the same to every provider, or nothing,
// is no loss.
func (r *reading) field(name string, raw []byte) *chat.Fault {
	v := jsonvalue.New(name, raw)
	read, known := topReaders[name]
	switch {
	case v.Null():
		return nil
	case !known:
		r.lose("", name)
		return nil
	case r.seen[name]:
		return v.Fault("It stands there more than once.")
	}
	r.seen[name] = true
	return read(r, v)
}

// complete checks what no field can alone.
func (r *reading) complete() *chat.Fault {
	request := r.request
	if request.MaxOutput == 0 {
		request.MaxOutput = r.olderCap
	}
	if request.User == "" {
		request.User = r.olderUser
	} else if r.olderUser != "" && r.olderUser != request.User {
		request.Lossy.Add("user")
	}
	if request.Model == "" {
		return &chat.Fault{Field: "model", Message: "It must be the name of a route, as a string."}
	}
	if !r.seen["messages"] {
		return &chat.Fault{Field: "messages", Message: "It must be an array of messages."}
	}
	return r.allow()
}

// lose notes a field that the model has no place for.
func (r *reading) lose(path, name string) { r.lost.Note(path, name) }
