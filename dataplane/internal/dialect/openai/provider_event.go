package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// maxChoices is OpenAI's bound of n.
const maxChoices = 128

var (
	errChoiceIndex = errors.New("openai stream: a choice's index is out of bounds")
	errCallIndex   = errors.New("openai stream: a call goes on that has ended")
	errAfterEnd    = errors.New("openai stream: a choice goes on that has finished")
)

// following is the state of a stream on its way from the upstream.
type following struct {
	begun   bool
	id      string
	choices []followedChoice
}

// followedChoice is a choice of the stream: the part that is open, and how many there
// were.
type followedChoice struct {
	begun, open, ended bool
	kind               chat.Kind
	parts              int
	// call is the wire's index of the open call, callID its id there; calls is beyond the
	// highest index.
	call, calls int
	callID      string
	// blocks: the open thinking is told by blocks alone.
	blocks bool
}

type wireChunk struct {
	ID      string          `json:"id"`
	Model   string          `json:"model"`
	Created int64           `json:"created"`
	Choices []wireDelta     `json:"choices"`
	Error   json.RawMessage `json:"error"`
	// Object is "error" where vLLM's older servers end a stream with one.
	Object string `json:"object"`
}

type wireDelta struct {
	Index        int             `json:"index"`
	Delta        wireReply       `json:"delta"`
	Logprobs     json.RawMessage `json:"logprobs"`
	FinishReason string          `json:"finish_reason"`
	StopReason   json.RawMessage `json:"stop_reason"`
}

// Events reads one event. A failure ends the stream too.
func (p *Provider) Events(dst []chat.Event, _, data []byte) ([]chat.Event, bool, error) {
	if data = bytes.TrimSpace(data); len(data) == 0 {
		return dst, false, nil
	}
	if Done(data) {
		return p.finish(dst), true, nil
	}
	var chunk wireChunk
	if err := json.Unmarshal(data, &chunk); err != nil {
		return dst, false, fmt.Errorf("openai stream: %w", plainError(err))
	}
	if len(chunk.Error) > 0 && string(chunk.Error) != "null" {
		return append(dst, chat.Event{Failure: streamFailure(chunk.Error)}), true, nil
	}
	if chunk.Object == "error" {
		return append(dst, chat.Event{Failure: streamFailure(data)}), true, nil
	}
	if !p.stream.begun && len(chunk.Choices) > 0 {
		p.stream.begun, p.stream.id = true, chunk.ID
		dst = append(dst, chat.Event{Begin: &chat.Begin{ID: chunk.ID, Model: chunk.Model, Created: createdAt(chunk.Created)}})
	}
	for i := range chunk.Choices {
		var err error
		if dst, err = p.choice(dst, &chunk.Choices[i]); err != nil {
			return dst, false, err
		}
	}
	if Speaks(data) {
		if usage := usageOf(data); usage.Tokens != nil {
			dst = append(dst, chat.Event{Usage: &usage})
		}
	}
	return dst, false, nil
}

// finish ends the choices of which nobody said why they ended.
func (p *Provider) finish(dst []chat.Event) []chat.Event {
	for i := range p.stream.choices {
		if f := (follower{choice: &p.stream.choices[i], index: i, events: dst}); f.choice.begun && !f.choice.ended {
			f.end("", nil)
			dst = f.events
		}
	}
	return dst
}

func (p *Provider) choice(dst []chat.Event, wire *wireDelta) ([]chat.Event, error) {
	if wire.Index < 0 || wire.Index >= maxChoices {
		return dst, errChoiceIndex
	}
	for len(p.stream.choices) <= wire.Index {
		p.stream.choices = append(p.stream.choices, followedChoice{})
	}
	f := follower{choice: &p.stream.choices[wire.Index], answer: p.stream.id, index: wire.Index, events: dst}
	f.choice.begun = true
	if raw := string(wire.Logprobs); raw != "null" {
		f.logprobs = raw
	}
	before := len(f.events)
	err := f.reply(&wire.Delta)
	if f.choice.ended && len(f.events) > before {
		return f.events, errAfterEnd
	}
	if err == nil && wire.FinishReason != "" && !f.choice.ended {
		f.end(wire.FinishReason, wire.StopReason)
	}
	return f.events, err
}

// follower makes the events of one choice of a chunk.
type follower struct {
	choice   *followedChoice
	answer   string // id
	index    int
	events   []chat.Event
	logprobs string
}

func (f *follower) reply(delta *wireReply) error {
	f.thought(delta)
	if delta.Content != nil {
		f.say(chat.Text, delta.Content.text)
	}
	if delta.Refusal != nil {
		f.say(chat.Refusal, *delta.Refusal)
	}
	for i := range delta.ToolCalls {
		if err := f.call(&delta.ToolCalls[i], i); err != nil {
			return err
		}
	}
	if delta.FunctionCall != nil {
		return f.call(&wireCall{Function: delta.FunctionCall}, 0)
	}
	return nil
}

// thought goes on with thinking. Blocks beside reasoning_content repeat it, in pieces or
// whole, and are there for their signature.
func (f *follower) thought(delta *wireReply) {
	thinking := delta.thinking()
	f.say(chat.Thinking, thinking)
	for _, block := range delta.ThinkingBlocks {
		if block.Type == blockRedacted {
			f.open(chat.Part{Kind: chat.Redacted, Data: block.Data})
			f.close()
			continue
		}
		if block.text() == "" && block.Signature == "" {
			continue
		}
		begun := f.thinks()
		if !begun {
			f.open(chat.Part{Kind: chat.Thinking})
			f.choice.blocks = true
		}
		if f.choice.blocks && (!begun || thinking == "") {
			f.say(chat.Thinking, block.text())
		}
		if block.Signature != "" {
			f.delta(&chat.Delta{Signature: block.Signature})
			f.close()
		}
	}
}

func (f *follower) thinks() bool { return f.choice.open && f.choice.kind == chat.Thinking }

// say goes on with the open part if it is of this kind, and else begins one.
func (f *follower) say(kind chat.Kind, text string) {
	if text == "" {
		return
	}
	if !f.choice.open || f.choice.kind != kind {
		f.open(chat.Part{Kind: kind})
	}
	f.delta(&chat.Delta{Text: text})
}

// call goes on with the open call, or begins the next one. at stands for an index that is
// missing; servers that give all of them the same one tell them apart by id.
func (f *follower) call(wire *wireCall, at int) error {
	index := at
	if wire.Index != nil {
		index = *wire.Index
	}
	var name, arguments string
	if wire.Function != nil {
		name, arguments = wire.Function.Name, wire.Function.Arguments
	}
	begun := f.choice.open && f.choice.kind == chat.Call && f.choice.call == index
	another := begun && wire.ID != "" && wire.ID != f.choice.callID
	switch {
	case name != "" && (another || index >= f.choice.calls):
		f.beginCall(wire, index)
	case begun:
	case arguments != "":
		return errCallIndex
	default:
		return nil
	}
	if arguments != "" {
		f.delta(&chat.Delta{Arguments: arguments})
	}
	return nil
}

func (f *follower) beginCall(wire *wireCall, index int) {
	call := &chat.ToolCall{ID: callID(wire.ID, f.answer, f.index, f.choice.parts), Name: wire.Function.Name}
	f.open(chat.Part{Kind: chat.Call, Signature: wire.signature(), Call: call})
	f.choice.call, f.choice.callID, f.choice.calls = index, wire.ID, max(f.choice.calls, index+1)
}

func (f *follower) open(part chat.Part) {
	f.close()
	f.choice.open, f.choice.kind, f.choice.blocks = true, part.Kind, false
	f.events = append(f.events, chat.Event{Open: &chat.Open{Choice: f.index, Index: f.choice.parts, Part: part}})
	f.choice.parts++
}

func (f *follower) delta(d *chat.Delta) {
	d.Choice, d.Index = f.index, f.choice.parts-1
	if f.choice.kind == chat.Text || f.choice.kind == chat.Refusal {
		d.Logprobs, f.logprobs = f.logprobs, ""
	}
	f.events = append(f.events, chat.Event{Delta: d})
}

func (f *follower) close() {
	if f.choice.open {
		f.choice.open = false
		f.events = append(f.events, chat.Event{Close: &chat.Close{Choice: f.index, Index: f.choice.parts - 1}})
	}
}

func (f *follower) end(finish string, sequence json.RawMessage) {
	f.close()
	f.choice.ended = true
	stop, met := stopOf(finish, sequence, f.choice.calls > 0)
	f.events = append(f.events, chat.Event{End: &chat.End{Choice: f.index, Stop: stop, Sequence: met}})
}
