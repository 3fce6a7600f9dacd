package bedrock

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/eventstream"
)

var errOrder = errors.New("the stream's events are out of order")

// stream is where a stream is. Its blocks, one at a time, become parts; those that have no
// place are passed over. What a block is, its first delta tells: only a tool's call has a
// start.
type stream struct {
	begun, ended, done bool
	at                 int // index of the block
	passed             bool
	open               bool
	kind               chat.Kind // of the part that is open, which is the last
	parts              int
}

type wireEvent struct {
	ContentBlockIndex int
	Start             struct{ ToolUse *wireToolUse }
	Delta             wireDelta
	StopReason        string
	More              wireMore `json:"additionalModelResponseFields"`
	Usage             json.RawMessage
	ServiceTier       wireTier
}

type wireDelta struct {
	Text             *string
	ToolUse          *struct{ Input string }
	ReasoningContent *struct{ Text, Signature, RedactedContent string }
	Image            *wireFile
}

// Events reads one event of package eventstream's. The last one has the usage. Those that
// are not known are passed over; so are citations and what tools of the provider's gave.
func (p *Provider) Events(dst []chat.Event, name, data []byte) ([]chat.Event, bool, error) {
	s := &p.stream
	if s.done {
		return dst, true, nil
	}
	if failed, ok := strings.CutPrefix(string(name), eventstream.Failed); ok {
		return append(dst, chat.Event{Failure: exception(failed, data)}), false, nil
	}
	var event wireEvent
	if len(name) == 0 {
		return dst, false, nil
	}
	if err := json.Unmarshal(data, &event); err != nil {
		return dst, false, fmt.Errorf("read an event: %w", err)
	}
	return p.event(dst, string(name), &event)
}

func (p *Provider) event(dst []chat.Event, name string, event *wireEvent) ([]chat.Event, bool, error) {
	s := &p.stream
	if !s.inOrder(name) {
		return dst, false, errOrder
	}
	switch name {
	case "messageStart":
		s.begun = true
		dst = append(dst, chat.Event{Begin: &chat.Begin{}})
	case "contentBlockStart":
		return p.start(s.enter(dst, event.ContentBlockIndex), event), false, nil
	case "contentBlockDelta":
		return p.delta(s.enter(dst, event.ContentBlockIndex), event)
	case "contentBlockStop":
		return s.close(s.enter(dst, event.ContentBlockIndex)), false, nil
	case "messageStop":
		s.ended = true
		end := chat.End{Stop: p.stop(event.StopReason), Sequence: event.More.StopSequence}
		return append(s.close(dst), chat.Event{End: &end}), false, nil
	case "metadata":
		s.done = s.ended
		if usage := usageOf(event.Usage, event.ServiceTier.Type); usage.Tokens != nil {
			dst = append(dst, chat.Event{Usage: &usage})
		}
	}
	return dst, s.done, nil
}

func (s *stream) inOrder(name string) bool {
	switch name {
	case "messageStart":
		return !s.begun
	case "metadata":
		return s.begun
	case "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop":
		return s.begun && !s.ended
	}
	return true
}

// enter goes to a block, and closes what the one before it left open.
func (s *stream) enter(dst []chat.Event, index int) []chat.Event {
	if s.at == index {
		return dst
	}
	dst = s.close(dst)
	s.at, s.passed = index, false
	return dst
}

func (p *Provider) start(dst []chat.Event, event *wireEvent) []chat.Event {
	s, use := &p.stream, event.Start.ToolUse
	switch {
	case use == nil:
	case use.Type != "":
		s.passed = true
	case p.emulated != "" && use.Name == p.emulated:
		dst = s.begin(dst, chat.Part{})
	default:
		dst = s.begin(dst, chat.Part{Kind: chat.Call, Call: &chat.ToolCall{ID: use.ToolUseID, Name: use.Name}})
	}
	return dst
}

// begin opens a part, behind the one that is open.
func (s *stream) begin(dst []chat.Event, part chat.Part) []chat.Event {
	dst = s.close(dst)
	s.open, s.kind = true, part.Kind
	s.parts++
	return append(dst, chat.Event{Open: &chat.Open{Index: s.parts - 1, Part: part}})
}

func (s *stream) close(dst []chat.Event) []chat.Event {
	if !s.open {
		return dst
	}
	s.open = false
	return append(dst, chat.Event{Close: &chat.Close{Index: s.parts - 1}})
}

func (p *Provider) delta(dst []chat.Event, event *wireEvent) ([]chat.Event, bool, error) {
	s, d := &p.stream, &event.Delta
	switch {
	case s.passed:
	case d.Text != nil:
		dst = s.add(dst, chat.Text, chat.Delta{Text: *d.Text})
	case d.ToolUse != nil && s.open && s.kind == chat.Call:
		dst = s.add(dst, chat.Call, chat.Delta{Arguments: d.ToolUse.Input})
	case d.ToolUse != nil && s.open && p.emulated != "":
		dst = s.add(dst, chat.Text, chat.Delta{Text: d.ToolUse.Input})
	case d.ToolUse != nil:
		return dst, false, errOrder
	case d.ReasoningContent != nil && d.ReasoningContent.RedactedContent != "":
		dst = s.begin(dst, chat.Part{Kind: chat.Redacted, Data: d.ReasoningContent.RedactedContent})
	case d.ReasoningContent != nil:
		dst = s.add(dst, chat.Thinking, chat.Delta{Text: d.ReasoningContent.Text, Signature: d.ReasoningContent.Signature})
	case d.Image != nil && d.Image.Source.Bytes != "":
		dst = s.begin(dst, d.Image.part())
	}
	return dst, false, nil
}

// add goes on with a part of a kind, which it opens first if there is none.
func (s *stream) add(dst []chat.Event, kind chat.Kind, delta chat.Delta) []chat.Event {
	if delta.Text == "" && delta.Arguments == "" && delta.Signature == "" {
		return dst
	}
	if !s.open || s.kind != kind {
		dst = s.begin(dst, chat.Part{Kind: kind})
	}
	delta.Index = s.parts - 1
	return append(dst, chat.Event{Delta: &delta})
}
