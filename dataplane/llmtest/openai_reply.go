package llmtest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// chatReply is one planned answer. Token numbers are those of one choice; those generated are of all.
type chatReply struct {
	reply
	request                   chatRequest
	id                        string
	created                   int64
	first                     int // word of the vocabulary
	finish                    string
	answer, reasoning, cached int
	// uncapped is the answer before the caller's bound.
	uncapped int
	// shaped are the choices where they are more than words; answer is not theirs.
	shaped []chatChoice
}

func (c *chatReply) refuse(w http.ResponseWriter, status int) {
	e := midwayError
	if status != http.StatusOK {
		e = statusError(w.Header(), c.fault)
	}
	writeOpenAIError(w, status, e)
}

var midwayError = openAIError{Message: "The server had an error while processing your request. Sorry about that!", Type: "server_error"}

// whole sends the answer as one JSON body.
func (c *chatReply) whole(w http.ResponseWriter, pace pace) error {
	c.generated.Reasoning = int64(c.reasoning * c.request.N)
	for token := 0; c.generating(token) > 0; token++ {
		if err := pace.sleep(c.tokenDelay); err != nil {
			return err
		}
		c.generated.Output += c.generating(token)
	}
	body := c.body()
	w.Header().Set("Content-Type", "application/json")
	return sendWhole(w, body, c.fault, c.settle)
}

func (c *chatReply) body() []byte {
	b := append(make([]byte, 0, 1024), `{"id":"`...)
	b = append(b, c.id...)
	b = append(b, `","object":"chat.completion","created":`...)
	b = strconv.AppendInt(b, c.created, 10)
	b = append(b, `,"model":`...)
	b = append(b, quote(c.request.Model)...)
	b = append(b, `,"choices":[`...)
	for i := range c.request.N {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"index":`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, `,"message":{"role":"assistant",`...)
		b = c.appendMessage(b, i)
		b = append(b, `},"logprobs":null,"finish_reason":"`...)
		b = append(b, c.reason(i)...)
		b = append(b, `"}`...)
	}
	b = append(b, ']')
	if c.fault.Kind != NoUsage {
		b = append(b, `,"usage":`...)
		b = c.appendUsage(b)
	}
	return append(b, `,"service_tier":"default","system_fingerprint":"fp_llmtest"}`...)
}

func (c *chatReply) appendMessage(b []byte, choice int) []byte {
	if c.aloud() {
		b = append(append(append(b, `"reasoning_content":`...), quote(c.thought(choice))...), ',')
	}
	if c.shaped != nil {
		return append(b, c.shaped[choice].message()...)
	}
	b = append(append(b, contentDelta...), quote(c.text(choice))...)
	return append(b, `,"refusal":null,"annotations":[]`...)
}

func (c *chatReply) reason(choice int) string {
	if c.shaped != nil {
		return c.shaped[choice].finish
	}
	return c.finish
}

// generating is how many choices have more tokens than these.
func (c *chatReply) generating(tokens int) int64 {
	if c.shaped == nil && tokens < c.answer {
		return int64(c.request.N)
	}
	var choices int64
	for i := range c.shaped {
		if c.shaped[i].tokens() > tokens {
			choices++
		}
	}
	return choices
}

// aloud tells whether reasoning is shown.
func (c *chatReply) aloud() bool {
	return c.reasoning > 0 && strings.HasPrefix(c.request.Model, thinksAloud)
}

func (c *chatReply) thought(choice int) string {
	return Answer("thinking about "+c.request.LastUser, choice, c.reasoning)
}

func (c *chatReply) text(choice int) string {
	if c.fault.Kind == Huge {
		return strings.Repeat("x", c.fault.hugeSize())
	}
	return Answer(c.request.LastUser, choice, c.answer)
}

// appendUsage tells what was generated in the provider's overlapping counts.
func (c *chatReply) appendUsage(b []byte) []byte {
	output := c.generated.Output + c.generated.Reasoning
	b = append(b, `{"prompt_tokens":`...)
	b = strconv.AppendInt(b, int64(c.request.PromptTokens), 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, output, 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, int64(c.request.PromptTokens)+output, 10)
	b = append(b, `,"prompt_tokens_details":{"cached_tokens":`...)
	b = strconv.AppendInt(b, int64(c.cached), 10)
	b = append(b, `,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":`...)
	b = strconv.AppendInt(b, c.generated.Reasoning, 10)
	return append(b, `,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`...)
}

func quote(text string) []byte {
	quoted, _ := json.Marshal(text)
	return quoted
}

func quoteOrNull(text string) []byte {
	if text == "" {
		return []byte("null")
	}
	return quote(text)
}
