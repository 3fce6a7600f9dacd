// Package responses is OpenAI's Responses API as applications speak it, where another
// dialect serves them, as far as it keeps no state: a request has the whole conversation,
// and what would be kept with the provider (previous_response_id, conversation, stored
// prompts, background) is refused.
// Format: https://platform.openai.com/docs/api-reference/responses
package responses

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// Surface is of one request.
//
// Thinking is an item of type reasoning, its text the summary. What a provider signed goes
// in encrypted_content, after a word that says what it is: "thinking:", "redacted:", or
// "call:" for the signature of the function call that follows. Callers send items back as
// they came. What has no such word is of another provider, and named as lossy.
type Surface struct {
	now func() time.Time
	// echo are the fields of a response that repeat the request.
	echo   []byte
	stream writing
}

var _ chat.Surface = (*Surface)(nil)

// NewSurface is for one request.
func NewSurface() *Surface { return &Surface{now: time.Now, echo: echo(nil)} }

// reading is a request on its way into the model.
type reading struct {
	request *chat.Request
	seen    map[string][]byte
	lost    jsonvalue.Lost
	input   input
	allowed map[string]bool
	user    string
}

// Request reads a body.
func (s *Surface) Request(body []byte) (*chat.Request, *chat.Fault) {
	fields, err := jsonscan.Fields(nil, body, nil)
	if err != nil {
		return nil, &chat.Fault{Message: fmt.Sprintf("The request body is not a JSON object: %s.", err)}
	}
	r := &reading{request: &chat.Request{}, seen: make(map[string][]byte, len(topReaders))}
	r.lost.In = &r.request.Lossy
	for _, field := range fields {
		if fault := r.field(string(jsonscan.Plain(field.Name)), field.Value); fault != nil {
			return nil, fault
		}
	}
	s.echo = echo(r.seen)
	return r.request, r.complete()
}

func (r *reading) field(name string, raw []byte) *chat.Fault {
	v := jsonvalue.New(name, raw)
	read, known := topReaders[name]
	switch {
	case v.Null():
		return nil
	case !known:
		r.lost.Note("", name)
		return nil
	case r.seen[name] != nil:
		return v.Fault("It stands there more than once.")
	}
	r.seen[name] = raw
	return read(r, v)
}

// complete checks what no field can alone.
func (r *reading) complete() *chat.Fault {
	request := r.request
	if request.User == "" {
		request.User = r.user
	} else if r.user != "" && r.user != request.User {
		request.Lossy.Add("user")
	}
	switch {
	case request.Model == "":
		return &chat.Fault{Field: "model", Message: "It must be the name of a route, as a string."}
	case len(request.Messages) == 0:
		return &chat.Fault{Field: "input", Message: "It must be a string or an array of items, with a message at least."}
	}
	return r.allow()
}

// Failure writes an upstream's error: the form is that of chat completions.
func (s *Surface) Failure(f *chat.Failure) []byte { return openai.NewSurface().Failure(f) }

// echoed are the fields of a response that repeat the request, and what they are where it
// did not say.
var echoed = [][2]string{
	{"background", "false"}, {"instructions", "null"}, {"max_output_tokens", "null"}, {"metadata", "{}"}, {"parallel_tool_calls", "true"},
	{"previous_response_id", "null"}, {"reasoning", `{"effort":null,"summary":null}`}, {"store", ""}, {"temperature", "null"},
	{"text", `{"format":{"type":"text"}}`}, {"tool_choice", `"auto"`}, {"tools", "[]"}, {"top_p", "null"}, {"truncation", `"disabled"`},
}

func echo(said map[string][]byte) []byte {
	var b strings.Builder
	for _, field := range echoed {
		raw := field[1]
		if said[field[0]] != nil {
			raw = string(said[field[0]])
		}
		if field[0] == "store" { // nothing is
			raw = "false"
		}
		b.WriteString(`,"` + field[0] + `":` + raw)
	}
	return []byte(b.String())
}
