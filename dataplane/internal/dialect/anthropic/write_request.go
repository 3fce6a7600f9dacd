package anthropic

import (
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/claude"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonout"
)

// DefaultMaxOutput is the max_tokens, which this dialect requires, of a request that
// says none; beyond a budget for thinking. Every Claude model since 4 can give as much.
// Nothing the caller said is left out by it, so that it is not lossy; an answer that it
// cuts says so.
const DefaultMaxOutput = 32_000

// request is one on its way to the wire.
type request struct {
	writer
	*chat.Request
	lossy      chat.Lossy
	generation claude.Generation
	always     bool // it thinks whether asked or not
	thinking   claude.Thinking
	choice     chat.ToolChoice
	emulated   string
}

// Request writes the body. It never returns an error: what upstream would refuse is
// left to it.
func (p *Provider) Request(r *chat.Request) ([]byte, chat.Lossy, error) {
	q := &request{Request: r, generation: claude.Of(r.Model), always: claude.AlwaysThinks(r.Model)}
	q.b = make([]byte, 0, r.Size())
	q.emulated = q.emulates()
	q.choice = q.choose()
	q.think()
	p.emulated = q.emulated
	q.write()
	return q.b, q.lossy, nil
}

func (q *request) write() {
	q.b = append(q.b, '{')
	q.text("model", q.Model)
	q.raw("max_tokens", strconv.FormatInt(q.maxTokens(), 10))
	q.conversation()
	q.tools()
	q.writeChoice()
	q.writeThinking()
	q.config()
	q.sampling()
	q.others()
	if q.Stream {
		q.raw("stream", "true")
	}
	q.close('}')
}

func (q *request) maxTokens() int64 {
	if q.MaxOutput > 0 {
		return q.MaxOutput
	}
	return DefaultMaxOutput + max(q.thinking.Budget, 0)
}

// config writes the effort and the format of the answer.
func (q *request) config() {
	native := q.Format.Shape == chat.JSONSchema && q.emulated == "" && q.generation.Formats()
	if q.Format.Shape != chat.Free && q.emulated == "" && !native {
		q.lossy.Add("format")
	}
	if q.thinking.Effort == "" && !native {
		return
	}
	q.key("output_config")
	q.b = append(q.b, '{')
	if q.thinking.Effort != "" {
		q.text("effort", q.thinking.Effort)
	}
	if native {
		q.format()
	}
	q.close('}')
}

// format writes a schema; the answer follows it to the letter, asked for or not. Its name
// is a label that says nothing of the answer.
func (q *request) format() {
	f := &q.Format
	if f.Description != "" {
		q.lossy.Add("format.description")
	}
	if f.Strict != nil && !*f.Strict {
		q.lossy.Add("format.strict")
	}
	q.raw("format", `{"type":"json_schema","schema":`)
	q.b = append(q.b, schema(f.Schema)...)
	q.close('}')
}

// schema of arguments or answers is required.
func schema(json string) string {
	if json == "" {
		return `{"type":"object"}`
	}
	return json
}

func (q *request) sampling() {
	s := &q.Sampling
	if q.thinking.On { // only defaults go with thinking
		q.leave("temperature", s.Temperature)
		q.leave("top_k", s.TopK)
	}
	if !q.generation.Samples() {
		q.leave("temperature", s.Temperature)
		q.leave("top_p", s.TopP)
		q.leave("top_k", s.TopK)
	}
	q.temperature(s.Temperature)
	q.number("top_p", s.TopP)
	q.number("top_k", s.TopK)
	q.leave("presence_penalty", s.PresencePenalty)
	q.leave("frequency_penalty", s.FrequencyPenalty)
	q.leave("seed", s.Seed)
}

// leave names a number that is left out, if it was said.
func (q *request) leave(field, number string) {
	if number != "" {
		q.lossy.Add(field)
	}
}

func (q *request) left(field string) bool {
	for _, name := range q.lossy {
		if name == field {
			return true
		}
	}
	return false
}

func (q *request) number(field, number string) {
	if number != "" && !q.left(field) {
		q.raw(field, number)
	}
}

// temperature ends at 1 here, elsewhere at 2.
func (q *request) temperature(number string) {
	if heat, err := strconv.ParseFloat(number, 64); err == nil && heat > 1 && !q.left("temperature") {
		q.lossy.Add("temperature")
		q.raw("temperature", "1")
		return
	}
	q.number("temperature", number)
}

func (q *request) others() {
	if len(q.Stop) > 0 {
		q.raw("stop_sequences", "[")
		for _, stop := range q.Stop {
			q.next()
			q.b = jsonout.AppendString(q.b, stop)
		}
		q.close(']')
	}
	if q.User != "" {
		q.raw("metadata", "{")
		q.text("user_id", q.User)
		q.close('}')
	}
	switch q.ServiceTier {
	case "":
	case "auto", "standard_only":
		q.text("service_tier", q.ServiceTier)
	case "default": // OpenAI's word for it
		q.text("service_tier", "standard_only")
	default:
		q.lossy.Add("service_tier")
	}
	q.unheard()
}

// unheard names what this dialect has not.
func (q *request) unheard() {
	if q.N > 1 {
		q.lossy.Add("n")
	}
	if q.Logprobs {
		q.lossy.Add("logprobs")
	}
	if q.TopLogprobs > 0 {
		q.lossy.Add("top_logprobs")
	}
	if len(q.Metadata) > 0 {
		q.lossy.Add("metadata")
	}
}
