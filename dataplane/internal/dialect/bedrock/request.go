package bedrock

import (
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/claude"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonout"
)

// Request writes the body of Converse and ConverseStream, which do not name the model. What
// is left out is named as chat.Request's own fields are, in snake case: "messages.name",
// "tools.strict". The error is a *chat.Fault.
func (p *Provider) Request(r *chat.Request) ([]byte, chat.Lossy, error) {
	w := &writer{request: r, model: modelOf(r.Model), role: noRole}
	w.B = make([]byte, 0, r.Size())
	w.emulated = w.emulates()
	w.choice = w.choose()
	w.think()
	p.emulated = w.emulated
	w.write()
	if w.fault != nil {
		return nil, nil, w.fault
	}
	return w.B, w.lossy, nil
}

// writer writes one request.
type writer struct {
	jsonout.Writer
	request *chat.Request
	lossy   chat.Lossy
	fault   *chat.Fault
	model   model

	emulated string
	choice   chat.ToolChoice
	thinking claude.Thinking // of Claude
	effort   string          // of the answer, where it is a field of Converse's own
	// role of the turn that is being written.
	role      chat.Role
	documents map[string]bool // by name
}

// noRole: no turn has begun.
const noRole chat.Role = -1

func (w *writer) write() {
	w.Item('{')
	w.conversation()
	w.inference()
	w.tools()
	w.output()
	w.additional()
	w.others()
	w.End("}")
}

func (w *writer) refuse(field, message string) {
	if w.fault == nil {
		w.fault = &chat.Fault{Field: field, Message: message}
	}
}

// field writes an object's value, unless there is nothing in it.
func (w *writer) field(name string, fill func()) {
	start := len(w.B)
	w.Open(name, '{')
	empty := len(w.B)
	fill()
	if len(w.B) == empty {
		w.B = w.B[:start]
		return
	}
	w.End("}")
}

// inference writes the settings that all models share.
func (w *writer) inference() {
	r, s := w.request, &w.request.Sampling
	w.field("inferenceConfig", func() {
		if r.MaxOutput > 0 {
			w.Number("maxTokens", r.MaxOutput)
		}
		w.Texts("stopSequences", r.Stop)
		switch samples := w.model.generation.Samples(); {
		case !samples || w.thinking.On: // only defaults go with thinking
			w.leave("temperature", s.Temperature)
		default:
			w.temperature(s.Temperature)
		}
		if w.model.generation.Samples() {
			w.Raw("topP", s.TopP)
		} else {
			w.leave("top_p", s.TopP)
		}
	})
	w.leave("presence_penalty", s.PresencePenalty)
	w.leave("frequency_penalty", s.FrequencyPenalty)
	w.leave("seed", s.Seed)
}

// temperature ends at 1 here, elsewhere at 2.
func (w *writer) temperature(number string) {
	if heat, err := strconv.ParseFloat(number, 64); err == nil && heat > 1 {
		w.lossy.Add("temperature")
		number = "1"
	}
	w.Raw("temperature", number)
}

// leave names what is left out, if it was said.
func (w *writer) leave(field, said string) {
	if said != "" {
		w.lossy.Add(field)
	}
}

// tiers by the words of all dialects.
var tiers = map[string]string{"default": "default", "standard": "default", "standard_only": "default",
	"flex": "flex", "priority": "priority", "reserved": "reserved"}

// others writes what stands beside the conversation, and names what Converse has not.
func (w *writer) others() {
	r := w.request
	if tier, ok := tiers[r.ServiceTier]; ok {
		w.field("serviceTier", func() { w.Text("type", tier) })
	} else if r.ServiceTier != "auto" {
		w.leave("service_tier", r.ServiceTier)
	}
	w.metadata()
	w.leave("user", r.User)
	if r.N > 1 {
		w.lossy.Add("n")
	}
	if r.Logprobs {
		w.lossy.Add("logprobs")
	}
	if r.TopLogprobs > 0 {
		w.lossy.Add("top_logprobs")
	}
	if r.ParallelTools != nil && !*r.ParallelTools && w.emulated == "" {
		w.lossy.Add("parallel_tools")
	}
}

// label is what AWS takes as a key or value of its invocation logs' metadata.
var label = regexp.MustCompile(`^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$`)

const maxLabels = 16

// metadata writes all of it, or nothing.
func (w *writer) metadata() {
	metadata := w.request.Metadata
	for key, value := range metadata {
		if len(metadata) > maxLabels || key == "" || !label.MatchString(key) || !label.MatchString(value) {
			w.lossy.Add("metadata")
			return
		}
	}
	w.field("requestMetadata", func() {
		for _, key := range slices.Sorted(maps.Keys(metadata)) {
			w.Text(key, metadata[key])
		}
	})
}
