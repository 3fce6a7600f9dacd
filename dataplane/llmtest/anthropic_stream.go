package llmtest

import (
	"fmt"
	"net/http"
	"strings"
)

// body is the whole answer.
func (m *messageReply) body() []byte {
	var blocks []string
	for i := range m.blocks {
		block := &m.blocks[i]
		input := block.text()
		if block.kind == "tool_use" && m.stop == "max_tokens" {
			input = "{}" // it was cut off
		}
		blocks = append(blocks, m.block(block, input))
	}
	return fmt.Appendf(nil, `{"id":%s,"type":"message","role":"assistant","model":%s,"content":[%s],%s%s}`,
		quote(m.id), quote(m.request.Model), strings.Join(blocks, ","), m.ending(), m.usage(`,"usage":`, m.startUsage(m.output())))
}

func (m *messageReply) block(block *messageBlock, text string) string {
	switch block.kind {
	case "thinking":
		shown := text
		if m.request.Omitted {
			shown = ""
		}
		return fmt.Sprintf(`{"type":"thinking","thinking":%s,"signature":%s}`, quote(shown), quote(sign(text)))
	case "redacted_thinking":
		return `{"type":"redacted_thinking","data":"` + redacted + `"}`
	case "tool_use":
		return fmt.Sprintf(`{"type":"tool_use","id":%s,"name":%s,"input":%s}`, quote(block.id), quote(block.name), text)
	}
	return fmt.Sprintf(`{"type":"text","text":%s}`, quote(text))
}

func (m *messageReply) ending() string {
	details := ""
	if m.stop == "refusal" {
		details = `,"stop_details":{"type":"refusal","category":null,"explanation":null}`
	}
	return fmt.Sprintf(`"stop_reason":%s,"stop_sequence":%s%s`, quote(m.stop), quoteOrNull(m.sequence), details)
}

func (m *messageReply) output() int64 { return m.generated.Output + m.generated.Reasoning }

// usage is left out where the fault says so.
func (m *messageReply) usage(name, object string) string {
	if m.fault.Kind == NoUsage {
		return ""
	}
	return name + object
}

// startUsage has all that is known at the start of an answer, deltaUsage what is cumulative.
func (m *messageReply) startUsage(output int64) string {
	p := &m.prompt
	return fmt.Sprintf(`{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,`+
		`"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":%d},"output_tokens":%d%s,"service_tier":"standard","inference_geo":"global"}`,
		p.Input, p.CacheWrite5m+p.CacheWrite1h, p.CachedInput, p.CacheWrite5m, p.CacheWrite1h, output, m.thought())
}

func (m *messageReply) deltaUsage() string {
	p := &m.prompt
	return fmt.Sprintf(`{"input_tokens":%d,"cache_creation_input_tokens":%d,"cache_read_input_tokens":%d,"output_tokens":%d%s}`,
		p.Input, p.CacheWrite5m+p.CacheWrite1h, p.CachedInput, m.output(), m.thought())
}

func (m *messageReply) thought() string {
	if m.generated.Reasoning == 0 {
		return ""
	}
	return fmt.Sprintf(`,"output_tokens_details":{"thinking_tokens":%d}`, m.generated.Reasoning)
}

// messageEvent renders one event; rest is what follows its type, from the comma on.
func messageEvent(kind, rest string, args ...any) []byte {
	b := fmt.Appendf(nil, "event: %s\ndata: {\"type\":\"%s\"", kind, kind)
	b = fmt.Appendf(b, rest, args...)
	return append(b, "}\n\n"...)
}

// stream sends the answer as server-sent events, block by block.
func (m *messageReply) stream(w http.ResponseWriter, pace pace) error {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	s := &stream{
		w: w, flush: http.NewResponseController(w).Flush, pace: pace, fault: m.fault,
		malformed: []byte("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\n\nnot an event\n\ndata\n\n"),
		failure:   []byte("event: error\ndata: " + string(anthropicMidway.body(w.Header().Get("Request-Id"))) + "\n\n"),
	}
	index := 0
	s.huge = func(size int) []byte {
		m.generated.Output++
		return delta(index, "text_delta", "text", strings.Repeat("x", size))
	}
	err := s.send(messageEvent("message_start",
		`,"message":{"id":%s,"type":"message","role":"assistant","model":%s,"content":[],"stop_reason":null,"stop_sequence":null%s}`,
		quote(m.id), quote(m.request.Model), m.usage(`,"usage":`, m.startUsage(1))))
	for ; err == nil && index < len(m.blocks); index++ {
		err = m.streamBlock(s, index)
	}
	if err != nil {
		return err
	}
	if err := s.send(messageEvent("message_delta", `,"delta":{%s}%s`, m.ending(), m.usage(`,"usage":`, m.deltaUsage()))); err != nil {
		return err
	}
	if m.fault.Kind == NoDone {
		return nil
	}
	return s.sendAfter(messageEvent("message_stop", ""), func() { m.settle(completed) })
}

func delta(index int, kind, name, text string) []byte {
	return messageEvent("content_block_delta", `,"index":%d,"delta":{"type":"%s","%s":%s}`, index, kind, name, quote(text))
}

var deltaNames = map[string][2]string{
	"text": {"text_delta", "text"}, "thinking": {"thinking_delta", "thinking"}, "tool_use": {"input_json_delta", "partial_json"},
}

func (m *messageReply) streamBlock(s *stream, index int) error {
	block := &m.blocks[index]
	empty := m.block(block, "")
	switch block.kind {
	case "tool_use":
		empty = m.block(block, "{}")
	case "thinking":
		empty = `{"type":"thinking","thinking":"","signature":""}`
	}
	if err := s.send(messageEvent("content_block_start", `,"index":%d,"content_block":%s`, index, empty)); err != nil {
		return err
	}
	if index == 0 {
		if err := s.send(messageEvent("ping", "")); err != nil {
			return err
		}
	}
	for _, piece := range block.pieces {
		if err := s.pace.sleep(m.tokenDelay); err != nil {
			return err
		}
		m.generate(block)
		name, streamed := deltaNames[block.kind]
		if !streamed || block.kind == "thinking" && m.request.Omitted {
			continue
		}
		if err := s.send(delta(index, name[0], name[1], piece)); err != nil {
			return err
		}
	}
	if block.kind == "thinking" {
		if err := s.send(delta(index, "signature_delta", "signature", sign(block.text()))); err != nil {
			return err
		}
	}
	return s.send(messageEvent("content_block_stop", `,"index":%d`, index))
}
