package llmtest

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// Wire format: https://platform.openai.com/docs/api-reference/responses

// responsePlan is one planned response. Token numbers are of the whole.
type responsePlan struct {
	call              *call
	last              string // what the user said last
	prompt, cached    int
	answer, reasoning int
	status, reason    string
	sequence          int
}

func (s *Server) planResponse(c *call) (*planned, *openAIError) {
	p := &responsePlan{call: c, prompt: tokensPerPrompt, status: "completed", reason: "null"}
	if invalid := p.read(c.fields); invalid != nil {
		return nil, invalid
	}
	fault := c.fault()
	p.answer = override(s.options.AnswerTokens, fault.AnswerTokens)
	p.reasoning = override(s.options.ReasoningTokens, fault.ReasoningTokens)
	p.cached = min(override(s.options.CachedTokens, fault.CachedTokens), p.prompt)
	if most := c.whole("max_output_tokens", 0); most > 0 && p.answer+p.reasoning > most {
		p.status, p.reason = "incomplete", `{"reason":"max_output_tokens"}`
		p.reasoning = min(p.reasoning, most)
		p.answer = most - p.reasoning
	}
	reply := c.reply
	reply.prompt = Tokens{Input: int64(p.prompt - p.cached), CachedInput: int64(p.cached)}
	answer := &planned{reply: reply, kind: "application/json", events: p.events(), body: []byte(p.response(p.status, true) + "\n")}
	if reply.streamed {
		answer.kind = "text/event-stream; charset=utf-8"
		answer.last = p.event("response."+p.status, `,"response":`+p.response(p.status, true))
	}
	answer.failure = event("error", `,"code":"server_error","message":"The server had an error while processing your request. Sorry about that!","param":null,"sequence_number":3`)
	answer.huge = func(size int) []byte {
		answer.generated.Output++
		return p.within("response.output_text.delta", `,"delta":"`+strings.Repeat("x", size)+`","logprobs":[]`)
	}
	return answer, nil
}

func (p *responsePlan) read(fields gjson.Result) *openAIError {
	if id := fields.Get("previous_response_id").Str; id != "" {
		return &openAIError{Type: "invalid_request_error", Param: "previous_response_id", Code: "previous_response_not_found",
			Message: "Previous response with id '" + id + "' not found."}
	}
	if text := fields.Get("instructions").Str; text != "" {
		p.prompt += tokensPerMessage + CountWords(text)
	}
	if most := fields.Get("max_output_tokens"); most.Type == gjson.Number && most.Int() < 1 {
		return &openAIError{Type: "invalid_request_error", Param: "max_output_tokens", Code: "integer_below_min_value",
			Message: "Invalid 'max_output_tokens': integer below minimum value."}
	}
	input := fields.Get("input")
	if input.Type == gjson.String {
		p.last = input.Str
		p.prompt += tokensPerMessage + CountWords(input.Str)
		return nil
	}
	if !input.IsArray() || input.Get("#").Int() == 0 {
		return missing("input")
	}
	input.ForEach(func(_, item gjson.Result) bool {
		text := item.Get("content").Str
		item.Get("content").ForEach(func(_, part gjson.Result) bool {
			text = strings.TrimSpace(text + " " + part.Get("text").Str)
			return true
		})
		if item.Get("role").Str == "user" {
			p.last = text
		}
		p.prompt += tokensPerMessage + CountWords(text+" "+item.Get("output").Str)
		return true
	})
	return nil
}

// response is the object; full: with what it says in the end.
func (p *responsePlan) response(status string, full bool) string {
	output, usage, reason := "[]", "null", "null"
	if full {
		output, reason = "["+p.items()+"]", p.reason
		if p.call.fault().Kind != NoUsage {
			usage = p.usage()
		}
	}
	return fmt.Sprintf(`{"id":"resp_%050d","object":"response","created_at":%d,"status":%q,"background":false,"error":null,"incomplete_details":%s,`+
		`"instructions":null,"max_output_tokens":null,"model":%s,"output":%s,"parallel_tool_calls":true,"previous_response_id":null,`+
		`"reasoning":{"effort":null,"summary":null},"service_tier":"default","store":true,"temperature":1.0,"text":{"format":{"type":"text"}},`+
		`"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","usage":%s,"user":null,"metadata":{}}`,
		p.call.number, p.call.at, status, reason, quote(p.call.reply.model), output, usage)
}

func (p *responsePlan) usage() string {
	return fmt.Sprintf(`{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d},"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}`,
		p.prompt, p.cached, p.answer+p.reasoning, p.reasoning, p.prompt+p.answer+p.reasoning)
}

func (p *responsePlan) items() string {
	message := p.message(p.status, p.part(Answer(p.last, 0, p.answer)))
	if p.reasoning == 0 {
		return message
	}
	return p.thought() + "," + message
}

func (p *responsePlan) thought() string {
	return fmt.Sprintf(`{"id":"rs_%050d","type":"reasoning","summary":[]}`, p.call.number)
}

func (p *responsePlan) message(status, part string) string {
	return fmt.Sprintf(`{"id":"msg_%050d","type":"message","status":%q,"content":[%s],"role":"assistant"}`, p.call.number, status, part)
}

func (p *responsePlan) part(text string) string {
	return fmt.Sprintf(`{"type":"output_text","annotations":[],"logprobs":[],"text":%s}`, quote(text))
}

func (p *responsePlan) event(kind, rest string) []byte {
	p.sequence++
	return event(kind, fmt.Sprintf(`,"sequence_number":%d%s`, p.sequence-1, rest))
}

func (p *responsePlan) within(kind, rest string) []byte {
	return p.event(kind, fmt.Sprintf(`,"item_id":"msg_%050d","output_index":%d,"content_index":0%s`, p.call.number, p.index(), rest))
}

// index of the message among the items.
func (p *responsePlan) index() int { return min(p.reasoning, 1) }

// events are all but the last.
func (p *responsePlan) events() []plannedEvent {
	text := Answer(p.last, 0, p.answer)
	begun := p.response("in_progress", false)
	events := []plannedEvent{{raw: p.event("response.created", `,"response":`+begun)}, {raw: p.event("response.in_progress", `,"response":`+begun)}}
	if p.reasoning > 0 {
		events = append(events, plannedEvent{raw: p.event("response.output_item.added", `,"output_index":0,"item":`+p.thought())},
			plannedEvent{raw: p.event("response.output_item.done", `,"output_index":0,"item":`+p.thought()), tokens: Tokens{Reasoning: int64(p.reasoning)}})
	}
	at := fmt.Sprintf(`,"output_index":%d,"item":`, p.index())
	events = append(events, plannedEvent{raw: p.event("response.output_item.added", at+p.message("in_progress", ""))},
		plannedEvent{raw: p.within("response.content_part.added", `,"part":`+p.part(""))})
	for i, word := range strings.Fields(text) {
		if i > 0 {
			word = " " + word
		}
		events = append(events, plannedEvent{raw: p.within("response.output_text.delta", `,"delta":`+string(quote(word))+`,"logprobs":[]`), tokens: Tokens{Output: 1}})
	}
	return append(events, plannedEvent{raw: p.within("response.output_text.done", `,"text":`+string(quote(text))+`,"logprobs":[]`)},
		plannedEvent{raw: p.within("response.content_part.done", `,"part":`+p.part(text))},
		plannedEvent{raw: p.event("response.output_item.done", at+p.message(p.status, p.part(text)))})
}
