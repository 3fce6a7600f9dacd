package llmtest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// Wire format: https://platform.openai.com/docs/api-reference/responses

// responsePlan is one planned response.
type responsePlan struct {
	call           *call
	request        responseRequest
	cached         int
	items          []responseItem
	status, reason string
	sequence       int
}

func (s *Server) planResponse(c *call) (*planned, *openAIError) {
	request, invalid := readResponse(c.fields)
	if invalid != nil {
		return nil, invalid
	}
	p := &responsePlan{call: c, request: request, status: "completed", reason: "null"}
	fault := c.fault()
	p.cached = min(override(s.options.CachedTokens, fault.CachedTokens), request.prompt)
	p.think(override(s.options.ReasoningTokens, fault.ReasoningTokens))
	p.say(override(s.options.AnswerTokens, fault.AnswerTokens))
	p.cap()
	reply := c.reply
	reply.prompt = Tokens{Input: int64(request.prompt - p.cached), CachedInput: int64(p.cached)}
	answer := &planned{reply: reply, kind: "application/json", events: p.events(), body: []byte(p.response(p.status, true) + "\n")}
	if reply.streamed {
		answer.kind = "text/event-stream; charset=utf-8"
		answer.last = p.event("response."+p.status, `,"response":`+p.response(p.status, true))
	}
	answer.failure = event("error", `,"code":"server_error","message":"The server had an error while processing your request. Sorry about that!","param":null,"sequence_number":3`)
	answer.huge = func(size int) []byte {
		answer.generated.Output++
		return p.within("response.output_text.delta", len(p.items)-1, `,"delta":"`+strings.Repeat("x", size)+`","logprobs":[]`)
	}
	return answer, nil
}

// add appends an item; its id tells the answer and the place.
func (p *responsePlan) add(prefix string, item responseItem) {
	item.id, item.status = fmt.Sprintf(itemID, prefix, p.call.number, len(p.items)), "completed"
	p.items = append(p.items, item)
}

func (p *responsePlan) think(tokens int) {
	if p.request.reasons && tokens == 0 {
		tokens = defaultThinkingTokens
	}
	if tokens == 0 {
		return
	}
	p.add("rs", responseItem{kind: "reasoning", summarized: p.request.summarized, pieces: words(Answer("thinking about "+p.request.last, 0, tokens))})
}

// say plans the calls, or the message.
func (p *responsePlan) say(tokens int) {
	whole := Answer(p.request.last, 0, tokens)
	message := responseItem{kind: "message", pieces: words(whole)}
	switch {
	case p.call.fault().Kind == Huge:
	case len(p.request.calls) > 0:
		for i, function := range p.request.calls {
			id := fmt.Sprintf("call_%018d%03d", p.call.number, i)
			p.add("fc", responseItem{kind: "function_call", call: id, name: function.name, pieces: cut(example(function.schema))})
		}
		return
	case strings.Contains(p.request.last, magicOpenAIRefusal):
		message.kind = "refusal"
	case p.request.schema.Exists():
		message.pieces = cut(example(p.request.schema))
	case p.request.json:
		message.pieces = cut(fmt.Sprintf(`{"answer":%s}`, quote(whole)))
	}
	p.add("msg", message)
}

// cap drops what is beyond the caller's limit, and seals what is left of the reasoning.
func (p *responsePlan) cap() {
	left := p.request.most
	for i := range p.items {
		item := &p.items[i]
		if p.request.most > 0 && len(item.pieces) > left {
			p.status, p.reason = "incomplete", `{"reason":"max_output_tokens"}`
			item.pieces, item.status = item.pieces[:left], "incomplete"
			p.items = p.items[:i+min(left, 1)]
			break
		}
		left -= len(item.pieces)
	}
	for i := range p.items {
		p.items[i].seal(p)
	}
}

func (i *responseItem) seal(p *responsePlan) {
	if i.kind != "reasoning" || !p.request.sealed {
		return
	}
	summary := ""
	if i.summarized {
		summary = i.text()
	}
	i.sealed = seal(strconv.FormatInt(p.call.number, 10), summary)
}

// response is the object; full: with what it says in the end.
func (p *responsePlan) response(status string, full bool) string {
	output, usage, reason := "", "null", "null"
	if full {
		items := make([]string, len(p.items))
		for i := range p.items {
			items[i] = p.items[i].whole()
		}
		output, reason = strings.Join(items, ","), p.reason
		if p.call.fault().Kind != NoUsage {
			usage = p.usage()
		}
	}
	return fmt.Sprintf(`{"id":"resp_%050d","object":"response","created_at":%d,"status":%q,"background":false,"error":null,"incomplete_details":%s,`+
		`"instructions":null,"max_output_tokens":%s,"model":%s,"output":[%s],"parallel_tool_calls":%s,"previous_response_id":null,`+
		`"reasoning":%s,"service_tier":"default","store":%s,"temperature":1.0,"text":%s,`+
		`"tool_choice":%s,"tools":%s,"top_p":1.0,"truncation":"disabled","usage":%s,"user":null,"metadata":{}}`,
		p.call.number, p.call.at, status, reason, p.echo("max_output_tokens", "null"), quote(p.call.reply.model), output,
		p.echo("parallel_tool_calls", "true"), p.echo("reasoning", `{"effort":null,"summary":null}`), p.echo("store", "true"),
		p.echo("text", `{"format":{"type":"text"}}`), p.echo("tool_choice", `"auto"`), p.echo("tools", "[]"), usage)
}

// echo is a field as it was asked for; without line breaks, which an event can't have.
func (p *responsePlan) echo(name, absent string) string {
	if value := p.call.fields.Get(name); value.Exists() && value.Type != gjson.Null {
		return value.Get("@ugly").Raw
	}
	return absent
}

func (p *responsePlan) usage() string {
	var spent Tokens
	for i := range p.items {
		spent.plus(p.items[i].tokens(len(p.items[i].pieces)))
	}
	output := int(spent.Output + spent.Reasoning)
	return fmt.Sprintf(`{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d},"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}`,
		p.request.prompt, p.cached, output, spent.Reasoning, p.request.prompt+output)
}
