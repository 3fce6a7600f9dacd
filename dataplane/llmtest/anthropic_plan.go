package llmtest

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// messageBlock is one block of an answer: kind text, thinking, redacted_thinking or tool_use.
type messageBlock struct {
	kind, id, name string
	// pieces are its text, or input, as it is streamed: a token each.
	pieces []string
}

func (b *messageBlock) text() string { return strings.Join(b.pieces, "") }

// messageReply is one planned answer.
type messageReply struct {
	reply
	request        messageRequest
	id             string
	blocks         []messageBlock
	stop, sequence string
}

// Strings by which a prompt makes the provider refuse, or redact its thinking, so that callers can test it.
const (
	magicRefusal  = "ANTHROPIC_MAGIC_STRING_TRIGGER_REFUSAL"
	magicRedacted = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING"
	redacted      = "cmVkYWN0ZWQ="
)

const defaultThinkingTokens = 4

// planMessage decides the whole answer before its first byte.
func (s *Server) planMessage(request messageRequest, fault Fault) *messageReply {
	m := &messageReply{reply: s.reply(request.Model, request.Stream, fault), request: request, stop: "end_turn"}
	m.price(override(s.options.CachedTokens, fault.CachedTokens))
	if request.Thinks {
		m.think(override(override(defaultThinkingTokens, s.options.ReasoningTokens), fault.ReasoningTokens))
	}
	m.say(override(s.options.AnswerTokens, fault.AnswerTokens))
	for i, tool := range request.Calls {
		id := fmt.Sprintf("toolu_%024d", 100*s.served.Load()+int64(i))
		m.blocks = append(m.blocks, messageBlock{kind: "tool_use", id: id, name: tool.name, pieces: cut(example(tool.schema))})
		m.stop = "tool_use"
	}
	m.cap()
	return m
}

// price splits the prompt into buckets: what is read from the cache goes first, then what is written for longer.
func (m *messageReply) price(cached int) {
	r := &m.request
	read := min(cached, r.PromptTokens)
	hour := max(r.Write1h-read, 0)
	five := max(r.Write5m-read-hour, 0)
	m.prompt = Tokens{CachedInput: int64(read), CacheWrite1h: int64(hour), CacheWrite5m: int64(five), Input: int64(r.PromptTokens - read - hour - five)}
}

func (m *messageReply) think(tokens int) {
	if strings.Contains(m.request.LastUser, magicRedacted) {
		m.blocks = append(m.blocks, messageBlock{kind: "redacted_thinking", pieces: make([]string, tokens)})
		return
	}
	m.blocks = append(m.blocks, messageBlock{kind: "thinking", pieces: words(Answer(m.request.LastUser, 1, tokens))})
}

// say plans the text, unless a tool must be called.
func (m *messageReply) say(tokens int) {
	text := messageBlock{kind: "text", pieces: words(Answer(m.request.LastUser, 0, tokens))}
	switch {
	case m.request.Forced:
		return
	case m.fault.Kind == Huge && !m.request.Stream:
		text.pieces = []string{strings.Repeat("x", m.fault.hugeSize())}
	case strings.Contains(m.request.LastUser, magicRefusal):
		text.pieces, m.stop = text.pieces[:min(len(text.pieces), 1)], "refusal"
	case m.request.Schema.Exists():
		text.pieces = cut(example(m.request.Schema))
	default:
		m.cutOff(&text)
	}
	m.blocks = append(m.blocks, text)
}

// cutOff ends the text ahead of the first stop sequence in it.
func (m *messageReply) cutOff(text *messageBlock) {
	if before, sequence, met := stopped(text.text(), m.request.Stops); met {
		text.pieces, m.stop, m.sequence = words(before), "stop_sequence", sequence
	}
}

// cap drops what is beyond max_tokens.
func (m *messageReply) cap() {
	left := m.request.Cap
	for i := range m.blocks {
		block := &m.blocks[i]
		if len(block.pieces) > left {
			block.pieces, m.stop, m.sequence = block.pieces[:left], "max_tokens", ""
			m.blocks = m.blocks[:i+1]
			return
		}
		left -= len(block.pieces)
	}
}

// sign is how the mock knows its own thinking again.
func sign(thinking string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(thinking))
	return base64.StdEncoding.EncodeToString([]byte("llmtest " + strconv.FormatUint(h.Sum64(), 16)))
}

// signed tells whether a signature is the mock's; thinking whose text was omitted has only that.
func signed(thinking, signature string) bool {
	plain, err := base64.StdEncoding.DecodeString(signature)
	return signature == sign(thinking) || thinking == "" && err == nil && strings.HasPrefix(string(plain), "llmtest ")
}
