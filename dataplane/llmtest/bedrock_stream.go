package llmtest

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
)

// frame is one event of AWS's framing, application/vnd.amazon.eventstream. kind is event
// or exception, of which name says which.
// Format: https://smithy.io/2.0/aws/amazon-eventstream.html
func frame(kind, name string, payload []byte) []byte {
	var headers []byte
	for _, header := range [][2]string{{":" + kind + "-type", name}, {":content-type", "application/json"}, {":message-type", kind}} {
		headers = append(append(headers, byte(len(header[0]))), header[0]...)
		headers = binary.BigEndian.AppendUint16(append(headers, 7), uint16(len(header[1])))
		headers = append(headers, header[1]...)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(headers)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, headers...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// converseEvent is one event of a stream. Its last field is padding, against those who
// measure events.
func converseEvent(name, fields string, args ...any) []byte {
	payload := fmt.Appendf(nil, "{"+fields, args...)
	payload = fmt.Appendf(payload, `,"p":"%s"}`, "abcdefghijklmnopqrstuvwxyz"[:1+len(payload)%26])
	return frame("event", name, payload)
}

func converseException(e bedrockError) []byte {
	return frame("exception", strings.ToLower(e.Type[:1])+e.Type[1:], e.body())
}

func converseDelta(index int, delta string, args ...any) []byte {
	return converseEvent("contentBlockDelta", `"contentBlockIndex":%d,"delta":{%s}`, index, fmt.Sprintf(delta, args...))
}

// stream sends the answer as events, block by block; the last one has the usage.
func (c *converseReply) stream(w http.ResponseWriter, pace pace) error {
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	damaged := converseDelta(0, `"text":"damaged"`)
	damaged[len(damaged)-1] ^= 1
	index := 0
	s := &stream{
		w: w, flush: http.NewResponseController(w).Flush, pace: pace, fault: c.fault, malformed: damaged,
		failure: converseException(bedrockFault(c.fault)),
		huge: func(size int) []byte {
			c.generated.Output++
			return converseDelta(index, `"text":%s`, quote(strings.Repeat("x", size)))
		},
	}
	err := s.send(converseEvent("messageStart", `"role":"assistant"`))
	for ; err == nil && index < len(c.blocks); index++ {
		err = c.streamBlock(s, index)
	}
	if err != nil || c.fault.Kind == NoDone {
		return err
	}
	if err := s.send(converseEvent("messageStop", "%s", c.ending())); err != nil {
		return err
	}
	return s.sendAfter(converseEvent("metadata", `"metrics":{"latencyMs":7}%s`, c.metadata()), func() { c.settle(completed) })
}

// converseDeltas are how a token of a kind of block is told; others are told whole.
var converseDeltas = map[string]string{"text": `"text":%s`, "thinking": `"reasoningContent":{"text":%s}`, "tool_use": `"toolUse":{"input":%s}`}

// streamBlock sends one block. Only a tool's call has a start.
func (c *converseReply) streamBlock(s *stream, index int) error {
	block := &c.blocks[index]
	if block.kind == "tool_use" {
		start := converseEvent("contentBlockStart", `"contentBlockIndex":%d,"start":{"toolUse":{"name":%s,"toolUseId":%s}}`, index, quote(block.name), quote(block.id))
		if err := s.send(start); err != nil {
			return err
		}
	}
	for _, piece := range block.pieces {
		if err := s.pace.sleep(c.tokenDelay); err != nil {
			return err
		}
		c.generate(block)
		if delta, streamed := converseDeltas[block.kind]; streamed {
			if err := s.send(converseDelta(index, delta, quote(piece))); err != nil {
				return err
			}
		}
	}
	if err := c.seal(s, index); err != nil {
		return err
	}
	return s.send(converseEvent("contentBlockStop", `"contentBlockIndex":%d`, index))
}

// seal sends what ends a block of thinking.
func (c *converseReply) seal(s *stream, index int) error {
	switch block := &c.blocks[index]; block.kind {
	case "thinking":
		return s.send(converseDelta(index, `"reasoningContent":{"signature":%s}`, quote(sign(block.text()))))
	case "redacted_thinking":
		return s.send(converseDelta(index, `"reasoningContent":{"redactedContent":"%s"}`, redacted))
	}
	return nil
}
