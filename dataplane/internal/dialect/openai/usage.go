package openai

import (
	"crypto/sha256"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Answer is what an answer's body, or one event of a stream, says about itself.
type Answer struct {
	dialect.Answer
	// NoChoices: choices is there and empty, as in the usage event of a stream.
	NoChoices bool
}

// ParseAnswer reads an answer's JSON. What is no JSON object says nothing.
func ParseAnswer(body []byte) Answer { return ReadAnswer(body, ParseUsage) }

// ReadAnswer is ParseAnswer where usage has a form of its own.
func ReadAnswer(body []byte, usage func(object []byte) *usagev1.TokenUsage) Answer {
	var answer Answer
	var space [24]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], body, nil)
	if err != nil {
		return answer
	}
	for _, field := range fields {
		switch string(field.Name) {
		case "usage":
			answer.take(field.Value, usage)
		case "service_tier":
			answer.ServiceTier = jsonscan.Text(field.Value)
		case "error":
			answer.Failed = answer.Failed || string(field.Value) != "null"
		case "x_groq": // its older servers' only place for the usage of a stream
			answer.inside(field.Value, usage)
		case "type", "object": // of an event; of vLLM's older errors
			answer.Failed = answer.Failed || string(field.Value) == `"error"`
		case "choices":
			answer.NoChoices = jsonvalue.EmptyArray(field.Value)
		}
	}
	return answer
}

// take keeps a usage object that has usage.
func (a *Answer) take(object []byte, usage func([]byte) *usagev1.TokenUsage) {
	if said := usage(object); said != nil {
		sum := sha256.Sum256(object)
		a.Usage, a.UsageSHA256 = said, sum[:]
	}
}

func (a *Answer) inside(object []byte, usage func([]byte) *usagev1.TokenUsage) {
	var space [8]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], object, nil)
	if err != nil || a.Usage != nil {
		return
	}
	for _, field := range fields {
		if string(field.Name) == "usage" {
			a.take(field.Value, usage)
		}
	}
}

// counts are OpenAI's numbers, which overlap: details are parts of the totals.
type counts struct {
	prompt, completion, total     int64
	cached, cacheWrite, audioIn   int64
	reasoning, audioOut           int64
	imageIn, imageOut             int64
	hasPrompt, hasCompletion, bad bool
	hasImageOut                   bool
}

// ParseUsage turns the usage object into disjoint buckets. Without both totals, or
// with numbers that are none, there is no usage. Chats and later surfaces call the same by
// other names.
func ParseUsage(object []byte) *usagev1.TokenUsage {
	var c counts
	c.read(object)
	if c.bad || !c.hasPrompt || !c.hasCompletion {
		return nil
	}
	return c.disjoint()
}

// ParseInputUsage is of answers that have no tokens.
func ParseInputUsage(object []byte) *usagev1.TokenUsage {
	var c counts
	c.read(object)
	if c.bad || !c.hasPrompt {
		return nil
	}
	return c.disjoint()
}

// ParseImageUsage is of answers that are images, whose tokens have prices of their own, as
// those of images in a prompt have there. Where output is not divided, all of it is images.
func ParseImageUsage(object []byte) *usagev1.TokenUsage {
	var c counts
	c.read(object)
	if c.bad || !c.hasPrompt || !c.hasCompletion {
		return nil
	}
	usage := c.disjoint()
	if !c.hasImageOut {
		c.imageOut = usage.Output
	}
	usage.InputImage, usage.Input = part(c.imageIn, usage.Input)
	usage.OutputImage, usage.Output = part(c.imageOut, usage.Output)
	return usage
}

func (c *counts) read(object []byte) {
	c.each(object, func(name, field []byte) {
		switch string(name) {
		case "prompt_tokens", "input_tokens":
			c.prompt, c.hasPrompt = c.number(field), true
		case "completion_tokens", "output_tokens":
			c.completion, c.hasCompletion = c.number(field), true
		case "total_tokens":
			c.total = c.number(field)
		case "prompt_tokens_details", "input_tokens_details", "input_token_details":
			c.each(field, c.promptDetail)
		case "completion_tokens_details", "output_tokens_details":
			c.each(field, c.completionDetail)
		}
	})
}

func (c *counts) each(object []byte, visit func(name, value []byte)) {
	var space [12]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], object, nil)
	if err != nil {
		return // null, most often
	}
	for _, field := range fields {
		visit(field.Name, field.Value)
	}
}

func (c *counts) promptDetail(name, value []byte) {
	switch string(name) {
	case "cached_tokens":
		c.cached = c.number(value)
	case "cache_write_tokens":
		c.cacheWrite = c.number(value)
	case "audio_tokens":
		c.audioIn = c.number(value)
	case "image_tokens":
		c.imageIn = c.number(value)
	}
}

func (c *counts) completionDetail(name, value []byte) {
	switch string(name) {
	case "reasoning_tokens":
		c.reasoning = c.number(value)
	case "audio_tokens":
		c.audioOut = c.number(value)
	case "image_tokens":
		c.imageOut, c.hasImageOut = c.number(value), true
	}
}

func (c *counts) number(value []byte) int64 {
	n, ok := jsonscan.Count(value)
	c.bad = c.bad || !ok
	return n
}

// disjoint takes the parts out of their totals, never below zero. Some compatible
// servers count reasoning beside completion_tokens instead of inside: there the
// total gives it away.
func (c *counts) disjoint() *usagev1.TokenUsage {
	completion := c.completion
	if c.reasoning > 0 && c.total == c.prompt+c.completion+c.reasoning {
		completion += c.reasoning
	}
	var usage usagev1.TokenUsage
	usage.CacheRead, usage.Input = part(c.cached, c.prompt)
	usage.CacheWrite_5M, usage.Input = part(c.cacheWrite, usage.Input)
	usage.InputAudio, usage.Input = part(c.audioIn, usage.Input)
	usage.Reasoning, usage.Output = part(c.reasoning, completion)
	usage.OutputAudio, usage.Output = part(c.audioOut, usage.Output)
	return &usage
}

func part(wanted, of int64) (taken, left int64) {
	taken = min(wanted, of)
	return taken, of - taken
}
