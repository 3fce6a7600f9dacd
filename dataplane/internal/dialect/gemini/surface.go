package gemini

import (
	"bytes"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// Surface answers applications that speak Gemini.
type Surface struct {
	// array: a stream is one JSON array, as it is without alt=sse.
	array bool
	// counts: the requests are those of countTokens.
	counts bool
	calls  calls
	stream
}

var _ chat.Surface = (*Surface)(nil)

// NewSurface is for one request. Its stream is of server-sent events (alt=sse).
func NewSurface() *Surface { return &Surface{stream: stream{before: eventBegin, after: eventEnd}} }

// NewArraySurface is for one request whose stream is a JSON array: a
// streamGenerateContent without alt=sse.
func NewArraySurface() *Surface {
	return &Surface{array: true, stream: stream{before: arrayBegin}}
}

// NewCountingSurface is for one request to count tokens.
func NewCountingSurface() *Surface { return &Surface{counts: true} }

// Request reads the body of generateContent and streamGenerateContent. Model and Stream
// are not in it: the path has them.
func (s *Surface) Request(body []byte) (*chat.Request, *chat.Fault) {
	read := &reader{request: &chat.Request{}, calls: &s.calls}
	if !isObject(body) {
		return nil, &chat.Fault{Message: "The request body is not a JSON object."}
	}
	if s.counts {
		body = counted(body)
	}
	object(bytes.TrimSpace(body), read.top)
	if len(read.request.Messages) == 0 {
		read.wrong("contents", "It is missing or empty: at least one content with a part is wanted.")
	}
	read.onlyAllowed()
	if read.fault != nil {
		return nil, read.fault
	}
	read.request.Messages = turns(read.request.Messages)
	read.request.Lossy = read.lossy
	return read.request, nil
}

// reader reads one request.
type reader struct {
	scan
	request *chat.Request
	calls   *calls
	// allowed are the only tools that may be called; empty: all.
	allowed []string
	json    bool // responseMimeType asks for it
}

func (r *reader) top(name string, value []byte) {
	switch name {
	case "model": // the path's counts
	case "contents":
		r.list(name, value, r.content)
	case "systemInstruction":
		r.system(name, value)
	case "tools":
		r.list(name, value, r.tool)
	case "toolConfig":
		r.fields(name, value, r.toolConfig)
	case "generationConfig":
		r.fields(name, value, r.config)
		r.format()
	case "serviceTier":
		r.request.ServiceTier = r.text(name, value)
	case "labels":
		r.labels(name, value)
	case "cachedContent", "continuationToken":
		r.wrong(name, "It names something kept by one provider, which no other has. Send the content itself.")
	default: // safetySettings, store and what is not known
		r.drop("", name)
	}
}

func (r *reader) labels(at string, value []byte) {
	r.request.Metadata = map[string]string{}
	r.rawFields(at, value, func(name string, value []byte) {
		r.request.Metadata[name] = r.text(at+"."+name, value)
	})
}

func (r *reader) system(at string, value []byte) {
	r.fields(at, value, func(name string, value []byte) {
		switch name {
		case "role":
		case "parts":
			r.list(at+".parts", value, func(at string, value []byte) {
				p := r.part(at, "systemInstruction.parts", value)
				if p.said.Kind != chat.Text {
					r.wrong(at, "It is not text, of which alone a system instruction is made.")
				}
				r.request.System = append(r.request.System, p.said)
			})
		default:
			r.drop(at, name)
		}
	})
}

// calls pairs results with calls, both of which may come without an id. Those that wait
// stand in order, by id and by name: there may be many.
type calls struct {
	byID, byName map[string][]*waiting
	named        int
}

type waiting struct {
	id       string
	answered bool
}

func (c *calls) made(call *chat.ToolCall) {
	if call.ID == "" {
		c.named++
		call.ID = "weir_call_" + strconv.Itoa(c.named)
	}
	if c.byID == nil {
		c.byID, c.byName = map[string][]*waiting{}, map[string][]*waiting{}
	}
	w := &waiting{id: call.ID}
	c.byID[call.ID], c.byName[call.Name] = append(c.byID[call.ID], w), append(c.byName[call.Name], w)
}

// answered gives the id of the first call that waits for the result: of the same id, or
// of the same name where the result has no id. Empty: none does.
func (c *calls) answered(id, name string) string {
	in, key := c.byID, id
	if id == "" {
		in, key = c.byName, name
	}
	for len(in[key]) > 0 {
		w := in[key][0]
		in[key] = in[key][1:]
		if !w.answered {
			w.answered = true
			return w.id
		}
	}
	return id
}
