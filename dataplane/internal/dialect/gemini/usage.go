package gemini

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// ParseAnswer reads an answer's JSON, also a stream that is one array of them: the last
// usage counts. Text that is no JSON says nothing: of an array that is cut, the last usage
// is missing.
func ParseAnswer(text []byte) dialect.Answer {
	var answer dialect.Answer
	text = bytes.TrimSpace(text)
	if len(text) > 0 && text[0] == '[' && !json.Valid(text) {
		return answer
	}
	elements(text, func(element []byte) { readAnswer(&answer, element) })
	return answer
}

func readAnswer(a *dialect.Answer, element []byte) {
	var space [16]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], element, nil)
	if err != nil {
		return
	}
	for _, field := range fields {
		switch string(field.Name) {
		case "usageMetadata":
			if said := usageIn(field.Value); said.Tokens != nil {
				a.Usage, a.UsageSHA256, a.ServiceTier, a.Unpriced = said.Tokens, said.SHA256, said.ServiceTier, said.Unpriced
			}
		case "error":
			if string(field.Value) != "null" {
				readError(a, element)
			}
		}
	}
}

func readError(a *dialect.Answer, element []byte) {
	failure := readFailure(0, element)
	a.Failed, a.RetryAfter = true, failure.RetryAfter
	a.Credential = failure.Code == "API_KEY_INVALID" || failure.Code == "API_KEY_EXPIRED"
}

func usageIn(value []byte) chat.Usage {
	var c counts
	tokens := parseUsage(value, &c)
	if tokens == nil {
		return chat.Usage{}
	}
	sum := sha256.Sum256(value)
	return chat.Usage{Tokens: tokens, SHA256: sum[:], ServiceTier: tierIn(value), Unpriced: c.filmed}
}

// counts are Gemini's numbers. Those of the prompt have the cached ones in them; thoughts
// and what tools of the server put into the prompt stand beside the others. 0 is left out.
// https://ai.google.dev/api/generate-content#UsageMetadata
type counts struct {
	prompt, cached, toolUse, candidates, thoughts, total int64
	audio, cachedAudio, toolAudio, audioOut, imagesOut   int64
	said, bad                                            bool
	filmed                                               bool // films are among the output, at rates of their own
}

// parseUsage turns usageMetadata into disjoint buckets. Without the prompt's total, or
// with numbers that are none, there is no usage.
func parseUsage(value []byte, c *counts) *usagev1.TokenUsage {
	var space [12]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], value, nil)
	if err != nil {
		return nil
	}
	for _, field := range fields {
		c.count(field.Name, field.Value)
	}
	if c.bad || !c.said {
		return nil
	}
	return c.disjoint()
}

func (c *counts) count(name, value []byte) {
	switch string(name) {
	case "promptTokenCount":
		c.prompt, c.said = c.number(value), true
	case "cachedContentTokenCount":
		c.cached = c.number(value)
	case "toolUsePromptTokenCount":
		c.toolUse = c.number(value)
	case "candidatesTokenCount", "responseTokenCount":
		c.candidates = c.number(value)
	case "thoughtsTokenCount":
		c.thoughts = c.number(value)
	case "totalTokenCount":
		c.total = c.number(value)
	case "promptTokensDetails":
		c.audio = c.of("AUDIO", value)
	case "cacheTokensDetails":
		c.cachedAudio = c.of("AUDIO", value)
	case "toolUsePromptTokensDetails":
		c.toolAudio = c.of("AUDIO", value)
	case "candidatesTokensDetails", "responseTokensDetails":
		c.audioOut, c.imagesOut = c.of("AUDIO", value), c.of("IMAGE", value)
		c.filmed = c.filmed || bytes.Contains(value, []byte(`"VIDEO"`))
	}
}

// of is the count of one modality. Images of a prompt cost what text does, and count as that.
func (c *counts) of(modality string, details []byte) int64 {
	var all int64
	elements(details, func(element []byte) {
		var space [4]jsonscan.Field
		fields, _ := jsonscan.Fields(space[:0], element, nil)
		var count int64
		meant := false
		for _, field := range fields {
			switch string(field.Name) {
			case "modality":
				meant = jsonscan.Text(field.Value) == modality
			case "tokenCount":
				count = c.number(field.Value)
			}
		}
		if meant {
			all += count
		}
	})
	return all
}

func (c *counts) number(value []byte) int64 {
	n, ok := jsonscan.Count(value)
	c.bad = c.bad || !ok
	return n
}

// disjoint takes the parts out of their totals, never below zero. Where the sum of all is
// more than its parts, the rest is output that has no name.
func (c *counts) disjoint() *usagev1.TokenUsage {
	if named := c.prompt + c.toolUse + c.candidates + c.thoughts; c.total > named {
		c.candidates += c.total - named
	}
	var usage usagev1.TokenUsage
	usage.CacheRead, usage.Input = share(c.cached, c.prompt)
	usage.InputAudio, usage.Input = share(max(c.audio-c.cachedAudio, 0), usage.Input)
	toolAudio, toolText := share(c.toolAudio, c.toolUse)
	usage.InputAudio += toolAudio
	usage.Input += toolText
	usage.OutputAudio, usage.Output = share(c.audioOut, c.candidates)
	usage.OutputImage, usage.Output = share(c.imagesOut, usage.Output)
	usage.Reasoning = c.thoughts
	return &usage
}

func share(wanted, of int64) (taken, left int64) {
	taken = min(wanted, of)
	return taken, of - taken
}

func tierIn(usage []byte) string {
	tier := ""
	object(usage, func(name string, value []byte) {
		if name == "serviceTier" {
			tier = jsonscan.Text(value)
		}
	})
	return tier
}
