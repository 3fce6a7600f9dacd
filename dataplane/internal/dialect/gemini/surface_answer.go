package gemini

import (
	"fmt"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Answer writes a GenerateContentResponse.
func (s *Surface) Answer(answer *chat.Answer) ([]byte, chat.Lossy) {
	var o out
	var lossy chat.Lossy
	o.begin('{')
	o.open("candidates", '[')
	for i := range answer.Choices {
		o.candidate(i, &answer.Choices[i], &lossy)
	}
	o.end(']')
	o.usage(&answer.Usage, &lossy)
	o.identity(answer.ID, answer.Model, answer.Created)
	o.end('}')
	return append(o.b, '\n'), lossy
}

func (o *out) identity(id, model string, created time.Time) {
	o.said("modelVersion", model)
	if !created.IsZero() {
		o.text("createTime", created.UTC().Format(time.RFC3339Nano))
	}
	o.said("responseId", id)
}

func (o *out) candidate(index int, choice *chat.Choice, lossy *chat.Lossy) {
	reason, message := reasonOf(choice.Stop), ""
	if choice.Sequence != "" {
		lossy.Add("stop_sequence")
	}
	o.item('{')
	o.open("content", '{')
	o.open("parts", '[')
	for i := range choice.Parts {
		if !o.answerPart(&choice.Parts[i], lossy) {
			reason, message = malformedCall, malformed(choice.Parts[i].Call)
		}
	}
	o.end(']')
	o.text("role", "model")
	o.end('}')
	o.text("finishReason", reason)
	o.said("finishMessage", message)
	o.number("index", int64(index))
	o.logprobs(choice.Logprobs)
	o.end('}')
}

// answerPart writes a part of an answer; not ok: a call whose arguments are no object.
func (o *out) answerPart(p *chat.Part, lossy *chat.Lossy) (ok bool) {
	switch p.Kind {
	case chat.Text, chat.Refusal, chat.Thinking:
		o.item('{')
		o.spoken(p.Kind, p.Text, p.Signature)
		o.end('}')
	case chat.Call:
		return o.call(p.Call, p.Signature)
	case chat.Image, chat.Audio, chat.Document:
		o.media(p.Media)
	case chat.Redacted:
		lossy.Add("redacted_thinking")
	}
	return true
}

// spoken writes the fields of a text or thought.
func (o *out) spoken(kind chat.Kind, text, signature string) {
	o.text("text", text)
	if kind == chat.Thinking {
		o.raw("thought", "true")
	}
	o.said("thoughtSignature", signature)
}

// call writes a part that calls; not ok, and nothing is written: its arguments are no
// object, of which alone args can be.
func (o *out) call(call *chat.ToolCall, signature string) (ok bool) {
	arguments := call.Arguments
	if arguments == "" {
		arguments = "{}"
	}
	if !isObject([]byte(arguments)) {
		return false
	}
	o.item('{')
	o.open("functionCall", '{')
	o.said("id", call.ID)
	o.text("name", call.Name)
	o.raw("args", arguments)
	o.end('}')
	o.said("thoughtSignature", signature)
	o.end('}')
	return true
}

// malformed is Gemini's own account of such a call.
func malformed(call *chat.ToolCall) string {
	return fmt.Sprintf("Malformed function call: %s(%s)", call.Name, call.Arguments)
}

func (o *out) media(media *chat.Media) {
	o.item('{')
	if media.Data != "" {
		o.open("inlineData", '{')
		o.said("mimeType", media.Type)
		o.text("data", media.Data)
	} else {
		o.open("fileData", '{')
		o.said("mimeType", media.Type)
		o.text("fileUri", media.URL)
	}
	o.said("displayName", media.Name)
	o.end('}')
	if level, ok := levels[media.Detail]; ok {
		o.open("mediaResolution", '{')
		o.text("level", level)
		o.end('}')
	}
	o.end('}')
}

// levels are Gemini's words for OpenAI's, which "auto" is none of.
var levels = map[string]string{"low": "MEDIA_RESOLUTION_LOW", "high": "MEDIA_RESOLUTION_HIGH"}

// usage writes usageMetadata. What was written to a cache is part of the prompt and has
// no number of its own.
func (o *out) usage(usage *chat.Usage, lossy *chat.Lossy) {
	if usage.Tokens == nil {
		return
	}
	t := usage.Tokens
	if t.CacheWrite_5M+t.CacheWrite_1H > 0 {
		lossy.Add("usage.cache_write")
	}
	prompt := t.Input + t.CacheRead + t.CacheWrite_5M + t.CacheWrite_1H + t.InputAudio + t.InputImage
	candidates := t.Output + t.OutputAudio + t.OutputImage
	o.open("usageMetadata", '{')
	o.number("promptTokenCount", prompt)
	o.number("candidatesTokenCount", candidates)
	o.number("totalTokenCount", prompt+candidates+t.Reasoning)
	o.counted("cachedContentTokenCount", t.CacheRead)
	o.counted("thoughtsTokenCount", t.Reasoning)
	o.modalities(t, prompt, candidates)
	o.said("serviceTier", usage.ServiceTier)
	o.end('}')
}

func (o *out) modalities(t *usagev1.TokenUsage, prompt, candidates int64) {
	o.modality("promptTokensDetails", prompt-t.InputAudio, t.InputAudio)
	o.modality("candidatesTokensDetails", candidates-t.OutputAudio, t.OutputAudio)
}

func (o *out) modality(name string, text, audio int64) {
	if audio == 0 {
		return
	}
	o.open(name, '[')
	for _, m := range []struct {
		name  string
		count int64
	}{{"TEXT", text}, {"AUDIO", audio}} {
		o.item('{')
		o.text("modality", m.name)
		o.number("tokenCount", m.count)
		o.end('}')
	}
	o.end(']')
}
