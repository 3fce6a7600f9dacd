package anthropic

import (
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Answer writes a whole answer: its first choice, as this dialect has one only.
func (s *Surface) Answer(a *chat.Answer) ([]byte, chat.Lossy) {
	var lossy chat.Lossy
	var choice chat.Choice
	if len(a.Choices) > 0 {
		choice = a.Choices[0]
	}
	if len(a.Choices) > 1 {
		lossy.Add("n")
	}
	if choice.Logprobs != "" {
		lossy.Add("logprobs")
	}
	w := writer{b: append(make([]byte, 0, 1<<10), `{"type":"message","role":"assistant"`...)}
	w.text("id", a.ID)
	w.text("model", a.Model)
	w.raw("content", "[")
	for i := range choice.Parts {
		w.answerPart(&choice.Parts[i], a.ID+"_"+strconv.Itoa(i), &lossy)
	}
	w.close(']')
	w.stop(choice.Stop, choice.Sequence)
	w.usage(&a.Usage)
	w.close('}')
	return append(w.b, '\n'), lossy
}

// answerPart writes a block. A refusal is text here; media of answers has no place.
func (w *writer) answerPart(p *chat.Part, id string, lossy *chat.Lossy) {
	if p.Kind != chat.Thinking && p.Signature != "" {
		lossy.Add("content.signature")
	}
	if p.Media != nil || p.Result != nil {
		lossy.Add("content")
		return
	}
	w.next()
	switch p.Kind {
	case chat.Thinking:
		w.b = append(w.b, `{"type":"thinking"`...)
		w.text("thinking", p.Text)
		w.text("signature", p.Signature)
	case chat.Redacted:
		w.b = append(w.b, `{"type":"redacted_thinking"`...)
		w.text("data", p.Data)
	case chat.Call:
		call := called(p)
		w.toolUse(call, id)
		if !isObject(call.Arguments) { // broken: the model was cut off
			if call.Arguments != "" {
				lossy.Add("content.input")
			}
			call.Arguments = "{}"
		}
		w.raw("input", call.Arguments)
	default:
		w.b = append(w.b, `{"type":"text"`...)
		w.text("text", p.Text)
	}
	w.close('}')
}

func called(p *chat.Part) chat.ToolCall {
	if p.Call == nil {
		return chat.ToolCall{}
	}
	return *p.Call
}

// toolUse begins a block; a call without an id gets one, as its result must name it.
func (w *writer) toolUse(call chat.ToolCall, id string) {
	w.b = append(w.b, `{"type":"tool_use"`...)
	if call.ID != "" {
		id = call.ID
	} else {
		id = "toolu_" + callID(id)
	}
	w.text("id", id)
	w.text("name", call.Name)
}

var stopNames = map[chat.Stop]string{
	chat.StopUnknown: "end_turn", chat.StopEnd: "end_turn", chat.StopLength: "max_tokens",
	chat.StopSequence: "stop_sequence", chat.StopTools: "tool_use", chat.StopFiltered: "refusal", chat.StopPaused: "pause_turn",
}

func (w *writer) stop(stop chat.Stop, sequence string) {
	w.text("stop_reason", stopNames[stop])
	if sequence == "" {
		w.raw("stop_sequence", "null")
		return
	}
	w.text("stop_sequence", sequence)
}

var tiers = map[string]string{"standard": "standard", "default": "standard", "priority": "priority", "batch": "batch"}

// usage writes the buckets; audio has none here and counts with the rest. Without usage
// the numbers, which the dialect requires, are 0.
func (w *writer) usage(u *chat.Usage) {
	t := u.Tokens
	if t == nil {
		t = new(usagev1.TokenUsage)
	}
	w.raw("usage", "{")
	w.count("input_tokens", t.Input+t.InputAudio+t.InputImage)
	w.count("cache_creation_input_tokens", t.CacheWrite_5M+t.CacheWrite_1H)
	w.count("cache_read_input_tokens", t.CacheRead)
	if t.CacheWrite_5M+t.CacheWrite_1H > 0 {
		w.raw("cache_creation", "{")
		w.count("ephemeral_5m_input_tokens", t.CacheWrite_5M)
		w.count("ephemeral_1h_input_tokens", t.CacheWrite_1H)
		w.close('}')
	}
	w.count("output_tokens", t.Output+t.Reasoning+t.OutputAudio+t.OutputImage)
	if t.Reasoning > 0 {
		w.raw("output_tokens_details", "{")
		w.count("thinking_tokens", t.Reasoning)
		w.close('}')
	}
	if tier := tiers[u.ServiceTier]; tier != "" {
		w.text("service_tier", tier)
	}
	w.close('}')
}

func (w *writer) count(name string, n int64) {
	w.key(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}
