package gemini

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// response is a GenerateContentResponse, whole or one chunk of a stream.
type response struct {
	scan
	id, model  string
	created    time.Time
	candidates []candidateSaid
	usage      chat.Usage
	blocked    bool
	err        *chat.Failure
}

type candidateSaid struct {
	index    int
	parts    []part
	reason   string
	logprobs string
}

// maxCandidates is more than any upstream gives.
const maxCandidates = 128

func readResponse(body []byte) (*response, error) {
	r := &response{}
	if !isObject(body) {
		return nil, errors.New("the answer is not a JSON object")
	}
	object(bytes.TrimSpace(body), r.top)
	if r.fault != nil {
		return nil, fmt.Errorf("the answer can't be read: %w", r.fault)
	}
	if r.err == nil && !r.blocked && r.candidates == nil && r.usage.Tokens == nil && r.id == "" {
		return nil, errors.New("the answer has neither candidates nor an error")
	}
	return r, nil
}

func (r *response) top(name string, value []byte) {
	switch name {
	case "responseId":
		r.id = jsonscan.Text(value)
	case "modelVersion":
		r.model = jsonscan.Text(value)
	case "createTime":
		r.created, _ = time.Parse(time.RFC3339Nano, jsonscan.Text(value))
	case "candidates":
		r.list(name, value, r.candidate)
	case "usageMetadata":
		r.usage = usageIn(value)
	case "promptFeedback":
		object(value, func(name string, value []byte) { r.blocked = r.blocked || name == "blockReason" })
	case "error":
		r.err = readFailure(0, append(append([]byte(`{"error":`), value...), '}'))
	default:
		r.drop("", name)
	}
}

func (r *response) candidate(at string, value []byte) {
	var said candidateSaid
	r.fields(at, value, func(name string, value []byte) {
		switch name {
		case "index":
			if said.index = int(r.whole(at+".index", value)); said.index < 0 || said.index >= maxCandidates {
				r.wrong(at+".index", "It is no index of a candidate.")
			}
		case "content":
			r.fields(at+".content", value, func(name string, value []byte) {
				if name == "parts" {
					r.list(at+".content.parts", value, func(at string, value []byte) {
						said.parts = append(said.parts, r.part(at, "candidates.content.parts", value))
					})
				}
			})
		case "finishReason":
			if said.reason = jsonscan.Text(value); said.reason == unspecified {
				said.reason = ""
			}
		case "logprobsResult":
			said.logprobs = openAILogprobs(value)
		case "tokenCount", "avgLogprobs", "finishMessage", "safetyRatings":
		default: // citations and grounding
			r.drop("candidates", name)
		}
	})
	r.candidates = append(r.candidates, said)
}

// Answer reads a GenerateContentResponse. A prompt that was blocked is a choice that was
// filtered.
func (p *Provider) Answer(body []byte) (*chat.Answer, error) {
	r, err := readResponse(body)
	if err != nil {
		return nil, err
	}
	if r.err != nil {
		return nil, fmt.Errorf("the answer is an error: %s", r.err.Type)
	}
	p.id = r.id
	answer := &chat.Answer{ID: r.id, Model: r.model, Created: r.created, Usage: r.usage, Lossy: r.lossy}
	switch {
	case len(r.candidates) > 0:
	case r.blocked:
		answer.Choices = []chat.Choice{{Stop: chat.StopFiltered}}
	default:
		return nil, errors.New("the answer has no candidates")
	}
	slices.SortStableFunc(r.candidates, func(a, b candidateSaid) int { return a.index - b.index })
	for _, said := range r.candidates {
		answer.Choices = append(answer.Choices, p.choice(&said))
	}
	return answer, nil
}

// choice joins the texts that follow each other, as a stream does.
func (p *Provider) choice(said *candidateSaid) chat.Choice {
	var choice chat.Choice
	var text []byte // of the last part
	calls := false
	for i := range said.parts {
		next := p.answerPart(&said.parts[i])
		calls = calls || next.Kind == chat.Call
		last := len(choice.Parts) - 1
		switch {
		case last >= 0 && joinsText(&choice.Parts[last], &next):
			text = append(text, next.Text...)
			choice.Parts[last].Signature = next.Signature
		case !blank(&next):
			tellLast(&choice, text)
			choice.Parts, text = append(choice.Parts, next), []byte(next.Text)
		}
	}
	tellLast(&choice, text)
	choice.Stop = stopOf(said.reason, calls)
	choice.Logprobs = said.logprobs
	return choice
}

// tellLast gives the last part, if there is one, all of its text.
func tellLast(choice *chat.Choice, text []byte) {
	if last := len(choice.Parts) - 1; last >= 0 {
		choice.Parts[last].Text = string(text)
	}
}

// joinsText tells whether a text goes on with the one before it. A signature ends one.
func joinsText(before, next *chat.Part) bool {
	return before.Kind == next.Kind && (next.Kind == chat.Text || next.Kind == chat.Thinking) && before.Signature == ""
}

// answerPart gives a call an id where the model did not.
func (p *Provider) answerPart(part *part) chat.Part {
	if call := part.said.Call; call != nil && call.ID == "" {
		call.ID = newID(p.id, p.calls)
		p.calls++
	}
	return part.said
}
