package llmtest

import (
	"fmt"
	"strings"
)

// magicOpenAIRefusal in a prompt makes the model decline in the field for it.
const magicOpenAIRefusal = "OPENAI_MAGIC_STRING_TRIGGER_REFUSAL"

// thinksAloud: servers of others show the reasoning of such models as reasoning_content.
const thinksAloud = "deepseek-"

// chatCall is one call of a function, its arguments in pieces of a token each.
type chatCall struct {
	id, name string
	pieces   []string
}

// chatChoice is a planned choice that is something else than words of the vocabulary.
type chatChoice struct {
	// refusal: the text is one.
	refusal bool
	text    []string
	calls   []chatCall
	finish  string
}

func (c *chatChoice) tokens() int {
	tokens := len(c.text)
	for i := range c.calls {
		tokens += len(c.calls[i].pieces)
	}
	return tokens
}

// planChat is plan with the kinds of answers that this dialect has.
func (s *Server) planChat(request chatRequest, fault Fault) *chatReply {
	reply := s.plan(request, fault)
	if fault.Kind == Huge {
		return reply
	}
	for i := range request.N {
		choice, special := reply.shape(i, s.served.Load())
		if !special {
			break
		}
		if request.Cap > 0 {
			choice.cap(request.Cap - reply.reasoning)
		}
		reply.shaped = append(reply.shaped, choice)
	}
	return reply
}

// shape plans a choice; special: it is not just words.
func (c *chatReply) shape(index int, served int64) (choice chatChoice, special bool) {
	choice.finish = "stop"
	whole := Answer(c.request.LastUser, index, c.uncapped)
	switch {
	case len(c.request.Calls) > 0:
		for i, function := range c.request.Calls {
			id := fmt.Sprintf("call_%018d%03d%03d", served, index, i)
			choice.calls = append(choice.calls, chatCall{id: id, name: function.name, pieces: cut(example(function.schema))})
		}
		if !c.request.Named { // which is odd, and how it is
			choice.finish = "tool_calls"
		}
	case strings.Contains(c.request.LastUser, magicOpenAIRefusal):
		choice.refusal, choice.text = true, words(whole)
	case c.request.Schema.Exists():
		choice.text = cut(example(c.request.Schema))
	case c.request.JSON:
		choice.text = cut(fmt.Sprintf(`{"answer":%s}`, quote(whole)))
	case len(c.request.Stops) > 0:
		before, _, _ := stopped(whole, c.request.Stops)
		choice.text = words(before)
	default:
		return choice, false
	}
	return choice, true
}

// cap drops what is beyond the tokens left.
func (c *chatChoice) cap(left int) {
	if c.tokens() <= left {
		return
	}
	c.finish = "length"
	c.text = c.text[:min(len(c.text), left)]
	left -= len(c.text)
	for i := range c.calls {
		call := &c.calls[i]
		if len(call.pieces) > left {
			call.pieces = call.pieces[:left]
			c.calls = c.calls[:i+1]
			return
		}
		left -= len(call.pieces)
	}
}

// message is the whole of a choice's message, from its content on.
func (c *chatChoice) message() string {
	content, refusal := "null", "null"
	switch text := strings.Join(c.text, ""); {
	case c.refusal:
		refusal = string(quote(text))
	case len(c.calls) == 0:
		content = string(quote(text))
	}
	message := fmt.Sprintf(`"content":%s,"refusal":%s,"annotations":[]`, content, refusal)
	if len(c.calls) == 0 {
		return message
	}
	calls := make([]string, len(c.calls))
	for i, call := range c.calls {
		calls[i] = fmt.Sprintf(`{"id":"%s","type":"function","function":{"name":%s,"arguments":%s}}`, call.id, quote(call.name), quote(strings.Join(call.pieces, "")))
	}
	return message + `,"tool_calls":[` + strings.Join(calls, ",") + "]"
}

// opening is the first delta of the choice.
func (c *chatChoice) opening() string {
	if c.refusal || len(c.calls) > 0 {
		return `"role":"assistant","content":null,"refusal":null`
	}
	return `"role":"assistant","content":"","refusal":null`
}

// deltas visits the pieces of a choice as they are streamed; token: it costs one.
func (c *chatChoice) deltas(visit func(delta string, value []byte, token bool) error) error {
	name := contentDelta
	if c.refusal {
		name = `"refusal":`
	}
	for _, piece := range c.text {
		if err := visit(name, quote(piece), true); err != nil {
			return err
		}
	}
	for i, call := range c.calls {
		begun := fmt.Sprintf(`"tool_calls":[{"index":%d,"id":"%s","type":"function","function":{"name":%s,"arguments":""}}]`, i, call.id, quote(call.name))
		if err := visit(begun, nil, false); err != nil {
			return err
		}
		for _, piece := range call.pieces {
			if err := visit(fmt.Sprintf(`"tool_calls":[{"index":%d,"function":{"arguments":%s}}]`, i, quote(piece)), nil, true); err != nil {
				return err
			}
		}
	}
	return nil
}
