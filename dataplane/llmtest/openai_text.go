package llmtest

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"github.com/tidwall/gjson"
)

const jsonKind = "application/json"

// inputs are the texts of a field; an array of tokens is a text of as many words.
func inputs(value gjson.Result) []string {
	if !value.IsArray() {
		return []string{value.Str}
	}
	var texts []string
	if first := value.Get("0"); first.Type == gjson.Number {
		return []string{strings.Join(strings.Split(value.Raw, ","), " ")}
	}
	value.ForEach(func(_, element gjson.Result) bool {
		texts = append(texts, inputs(element)...)
		return true
	})
	return texts
}

func countAll(texts []string) (tokens int) {
	for _, text := range texts {
		tokens += CountWords(text)
	}
	return tokens
}

const dimensions = 8

// Vector is the embedding of a text.
func Vector(text string, size int) []float32 {
	vector := make([]float32, size)
	for i := range vector {
		h := fnv.New32a()
		_, _ = fmt.Fprintf(h, "%d %s", i, text)
		vector[i] = float32(h.Sum32()%2048)/1024 - 1
	}
	return vector
}

func (s *Server) planEmbeddings(c *call) (*planned, *openAIError) {
	texts := inputs(c.fields.Get("input"))
	if !c.fields.Get("input").Exists() || len(texts) == 0 {
		return nil, missing("input")
	}
	var data []string
	for i, text := range texts {
		vector := Vector(text, c.whole("dimensions", dimensions))
		written := strings.ReplaceAll(fmt.Sprint(vector), " ", ",")
		if c.fields.Get("encoding_format").Str == "base64" {
			written = `"` + encodeVector(vector) + `"`
		}
		data = append(data, fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":%s}`, i, written))
	}
	tokens, usage := countAll(texts), ""
	if c.fault().Kind != NoUsage {
		usage = fmt.Sprintf(`,"usage":{"prompt_tokens":%d,"total_tokens":%d}`, tokens, tokens)
	}
	c.reply.streamed = false
	c.reply.prompt.Input = int64(tokens)
	return &planned{reply: c.reply, kind: jsonKind,
		body: fmt.Appendf(nil, `{"object":"list","data":[%s],"model":%s%s}`, strings.Join(data, ","), quote(c.reply.model), usage)}, nil
}

func encodeVector(vector []float32) string {
	var b []byte
	for _, x := range vector {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(b)
}

func (s *Server) planModeration(c *call) (*planned, *openAIError) {
	if !c.fields.Get("input").Exists() {
		return nil, missing("input")
	}
	var results []string
	for range inputs(c.fields.Get("input")) {
		results = append(results, `{"flagged":false,"categories":{"hate":false,"violence":false},"category_scores":{"hate":0.0001,"violence":0.0002}}`)
	}
	c.reply.streamed = false
	return &planned{reply: c.reply, kind: jsonKind,
		body: fmt.Appendf(nil, `{"id":"modr-%d","model":%s,"results":[%s]}`, c.number, quote(c.reply.model), strings.Join(results, ","))}, nil
}

// planCompletion answers each prompt n times, 16 tokens long where nothing else is said.
func (s *Server) planCompletion(c *call) (*planned, *openAIError) {
	prompts := inputs(c.fields.Get("prompt"))
	n, tokens := c.whole("n", 1), min(override(s.options.AnswerTokens, c.fault().AnswerTokens), c.whole("max_tokens", 16))
	c.reply.prompt.Input = int64(countAll(prompts))
	answer := &planned{reply: c.reply, kind: jsonKind}
	head := fmt.Sprintf(`{"id":"cmpl-%029d","object":"text_completion","created":%d,"model":%s,"choices":[`, c.number, c.at, quote(c.reply.model))
	usage := fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%[3]d}`,
		c.reply.prompt.Input, n*len(prompts)*tokens, int(c.reply.prompt.Input)+n*len(prompts)*tokens)
	asked := c.fields.Get("stream_options.include_usage").Bool() && c.fault().Kind != NoUsage
	tail := "]}\n\n"
	if asked {
		tail = "],\"usage\":null}\n\n"
	}
	var choices []string
	for i := range n * len(prompts) {
		text := Answer(prompts[i/n], i%n, tokens)
		choices = append(choices, choice(i, text, `"length"`))
		for t, word := range strings.Fields(text) {
			if t > 0 {
				word = " " + word
			}
			answer.events = append(answer.events, plannedEvent{raw: []byte("data: " + head + choice(i, word, "null") + tail), tokens: Tokens{Output: 1}})
		}
		answer.events = append(answer.events, plannedEvent{raw: []byte("data: " + head + choice(i, "", `"length"`) + tail)})
	}
	answer.huge = func(size int) []byte {
		answer.generated.Output++
		return []byte("data: " + head + choice(0, strings.Repeat("x", size), "null") + tail)
	}
	answer.body = []byte(head + strings.Join(choices, ",") + "]")
	if c.fault().Kind != NoUsage {
		answer.body = append(answer.body, `,"usage":`+usage...)
	}
	answer.body = append(answer.body, '}')
	if c.reply.streamed {
		answer.kind, answer.last = "text/event-stream", doneEvent
		if asked {
			answer.events = append(answer.events, plannedEvent{raw: []byte("data: " + head + `],"usage":` + usage + "}\n\n")})
		}
	}
	return answer, nil
}

func choice(index int, text, finish string) string {
	return fmt.Sprintf(`{"text":%s,"index":%d,"logprobs":null,"finish_reason":%s}`, quote(text), index, finish)
}
