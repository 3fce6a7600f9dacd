package anthropic

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

var errOrder = errors.New("the stream's events are out of order")

// providerStream is where a stream is. Its blocks are numbered anew: those that have no
// place are left out.
type providerStream struct {
	begun, ended, done bool
	parts              map[int]int
	inside             bool // of a block, which is at
	at                 int
	open               int // parts so far
	counts             counts
	sum                hash.Hash
}

type wireEvent struct {
	Type         string
	Message      *wireMessage
	Index        int
	ContentBlock *wireBlock `json:"content_block"`
	Delta        wireDelta
	Usage        json.RawMessage
	Error        *wireError
}

type wireDelta struct {
	Type                      string
	Text, Thinking, Signature string
	PartialJSON               string `json:"partial_json"`
	StopReason                string `json:"stop_reason"`
	StopSequence              string `json:"stop_sequence"`
}

// Events reads one event. Types that are not known are passed over, as the provider
// asks for; so are citations and the blocks of tools that it ran.
func (p *Provider) Events(dst []chat.Event, _, data []byte) ([]chat.Event, bool, error) {
	s := &p.stream
	if s.done || len(data) == 0 {
		return dst, s.done, nil
	}
	event, err := readEvent(data)
	if err != nil {
		return dst, false, err
	}
	switch event.Type {
	case "ping":
		return append(dst, chat.Event{Ping: true}), false, nil
	case "error":
		return append(dst, chat.Event{Failure: event.failure()}), false, nil
	case "message_start":
		return p.start(dst, event.Message)
	}
	if !s.begun {
		return dst, false, errOrder
	}
	switch event.Type {
	case "content_block_start":
		return p.openBlock(dst, &event)
	case "content_block_delta":
		return p.delta(dst, &event)
	case "content_block_stop":
		return p.closeBlock(dst, event.Index)
	case "message_delta":
		return p.ending(dst, &event), false, nil
	case "message_stop":
		s.done = true
	}
	return dst, s.done, nil
}

func (e *wireEvent) failure() *chat.Failure {
	if e.Error == nil {
		e.Error = new(wireError)
	}
	return e.Error.failure(errorStatus(e.Error.Type))
}

func (p *Provider) start(dst []chat.Event, message *wireMessage) ([]chat.Event, bool, error) {
	s := &p.stream
	if s.begun || message == nil {
		return dst, false, errOrder
	}
	s.begun, s.parts, s.sum = true, map[int]int{}, sha256.New()
	s.usage(message.Usage)
	return append(dst, chat.Event{Begin: &chat.Begin{ID: message.ID, Model: message.Model}}), false, nil
}

func (s *providerStream) usage(object []byte) bool {
	if !s.counts.read(object) {
		return false
	}
	_, _ = s.sum.Write(object)
	return true
}

// openBlock begins a part. What a block begins with, if anything, follows as a delta.
func (p *Provider) openBlock(dst []chat.Event, event *wireEvent) ([]chat.Event, bool, error) {
	s, block := &p.stream, event.ContentBlock
	if _, twice := s.parts[event.Index]; twice || block == nil {
		return dst, false, errOrder
	}
	dst = s.close(dst)
	s.inside, s.at = true, event.Index
	part, ok := p.part(block)
	if !ok {
		s.parts[event.Index] = -1
		return dst, false, nil
	}
	index := s.open
	s.parts[event.Index], s.open = index, s.open+1
	first := chat.Delta{Index: index, Text: part.Text, Signature: part.Signature}
	part.Text, part.Signature = "", ""
	if block.Type == "tool_use" {
		first.Text = ""
		if input := string(block.Input); isObject(input) && input != "{}" {
			first = p.input(index, input)
		}
		if part.Call != nil {
			part.Call.Arguments = ""
		}
	}
	dst = append(dst, chat.Event{Open: &chat.Open{Index: index, Part: part}})
	if first.Text != "" || first.Arguments != "" || first.Signature != "" {
		dst = append(dst, chat.Event{Delta: &first})
	}
	return dst, false, nil
}

// input is what a tool is called with, or the answer's text where the tool stands for it.
func (p *Provider) input(index int, json string) chat.Delta {
	if p.emulated != "" {
		return chat.Delta{Index: index, Text: json}
	}
	return chat.Delta{Index: index, Arguments: json}
}

func (p *Provider) delta(dst []chat.Event, event *wireEvent) ([]chat.Event, bool, error) {
	index := p.stream.parts[event.Index]
	if !p.stream.inside || p.stream.at != event.Index {
		return dst, false, errOrder
	}
	delta := chat.Delta{Index: index}
	switch d := &event.Delta; d.Type {
	case "text_delta":
		delta.Text = d.Text
	case "thinking_delta":
		delta.Text = d.Thinking
	case "signature_delta":
		delta.Signature = d.Signature
	case "input_json_delta":
		delta = p.input(index, d.PartialJSON)
	}
	if index < 0 || delta.Text == "" && delta.Arguments == "" && delta.Signature == "" {
		return dst, false, nil
	}
	return append(dst, chat.Event{Delta: &delta}), false, nil
}

func (p *Provider) closeBlock(dst []chat.Event, at int) ([]chat.Event, bool, error) {
	if !p.stream.inside || p.stream.at != at {
		return dst, false, errOrder
	}
	return p.stream.close(dst), false, nil
}

// close ends the block that is open, if one is: parts come one after the other.
func (s *providerStream) close(dst []chat.Event) []chat.Event {
	index := s.parts[s.at]
	if !s.inside || index < 0 {
		s.inside = false
		return dst
	}
	s.inside = false
	return append(dst, chat.Event{Close: &chat.Close{Index: index}})
}

// ending reads a message_delta: why the answer ended, once, and its usage so far.
func (p *Provider) ending(dst []chat.Event, event *wireEvent) []chat.Event {
	s := &p.stream
	if event.Delta.StopReason != "" && !s.ended {
		s.ended = true
		dst = append(s.close(dst), chat.Event{End: &chat.End{Stop: p.stop(event.Delta.StopReason), Sequence: event.Delta.StopSequence}})
	}
	if !s.usage(event.Usage) {
		return dst
	}
	usage := s.counts.usage()
	if usage.Tokens == nil {
		return dst
	}
	usage.SHA256 = s.sum.Sum(nil)
	return append(dst, chat.Event{Usage: &usage})
}
