package anthropic

import (
	"crypto/sha256"
	"hash"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// ParseAnswer reads the JSON of a whole answer. Text that is no JSON object says
// nothing.
func ParseAnswer(text []byte) dialect.Answer {
	var meter Meter
	meter.read(text, true)
	return meter.answer
}

// Meter follows the usage of one stream: what message_start said is provisional, and
// each message_delta says anew what has changed.
// Source: https://platform.claude.com/docs/en/build-with-claude/streaming
type Meter struct {
	answer dialect.Answer
	counts counts
	sum    hash.Hash
}

// Look reads an event that Speaks, and returns what the stream said so far. There is
// Usage once a message_delta told it.
func (m *Meter) Look(data []byte) dialect.Answer {
	m.read(data, false)
	return m.answer
}

// read takes an object that is an answer, or an event, apart. final: the usage in it is.
func (m *Meter) read(text []byte, final bool) {
	var space [24]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], text, nil)
	if err != nil {
		return
	}
	for _, field := range fields {
		switch string(field.Name) {
		case "type":
			switch string(field.Value) {
			case `"error"`:
				m.answer.Failed = true
			case `"message_delta"`:
				final = true
			}
		case "message": // of message_start
			m.start(field.Value)
		}
	}
	for _, field := range fields {
		if string(field.Name) == "usage" {
			m.usage(field.Value, final)
		}
	}
}

func (m *Meter) start(message []byte) {
	var space [16]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], message, nil)
	if err != nil {
		return
	}
	for _, field := range fields {
		if string(field.Name) == "usage" {
			m.usage(field.Value, false)
		}
	}
}

func (m *Meter) usage(object []byte, final bool) {
	if !m.counts.read(object) {
		return
	}
	m.answer.ServiceTier, m.answer.Geo = m.counts.served(), m.counts.geo
	if m.sum == nil {
		m.sum = sha256.New()
	}
	_, _ = m.sum.Write(object)
	m.answer.Unpriced = m.counts.requests
	m.answer.Usage, m.answer.UsageSHA256 = nil, nil
	if final {
		if m.answer.Usage = m.counts.disjoint(); m.answer.Usage != nil {
			m.answer.UsageSHA256 = m.sum.Sum(nil)
		}
	}
}

// counts are Anthropic's numbers. Input, cache reads and cache writes are disjoint;
// thinking is a part of output.
// Source: https://platform.claude.com/docs/en/api/messages (Usage)
type counts struct {
	input, output, thinking       int64
	cacheRead, cacheWrite         int64
	cacheWrite5m, cacheWrite1h    int64
	hasInput, hasOutput, hasWrite bool
	bad                           bool
	tier                          string
	// searches and fetches that the provider ran: billed by number, not by tokens.
	requests bool
	// speed and geo that are not the usual ones, at rates of their own.
	speed, geo string
}

// served is the service tier. Anthropic's fast mode is a speed beside it: with a tier that
// has a price of its own, too, the two are none that is known.
// Source: https://platform.claude.com/docs/en/build-with-claude/fast-mode
func (c *counts) served() string {
	switch {
	case c.speed == "":
		return c.tier
	case c.tier == "" || c.tier == "standard":
		return c.speed
	}
	return c.tier + "+" + c.speed
}

// read takes what a usage object says over what was said before; false: it is none.
func (c *counts) read(object []byte) bool {
	return c.each(object, func(name, value []byte) {
		switch string(name) {
		case "input_tokens":
			c.input, c.hasInput = c.number(value), true
		case "output_tokens":
			c.output, c.hasOutput = c.number(value), true
		case "cache_read_input_tokens":
			c.cacheRead = c.number(value)
		case "cache_creation_input_tokens":
			c.cacheWrite, c.hasWrite = c.number(value), true
		case "cache_creation", "output_tokens_details", "server_tool_use":
			c.each(value, c.detail)
		case "service_tier":
			c.tier = jsonscan.Text(value)
		case "speed":
			c.speed = unusual(value, "standard")
		case "inference_geo":
			if c.geo = unusual(value, "global"); c.geo == "not_available" { // of models that know no places
				c.geo = ""
			}
		}
	})
}

// unusual is what a field says, but for the usual value.
func unusual(value []byte, usual string) string {
	switch said := jsonscan.Text(value); said {
	case usual:
		return ""
	case "":
		return "?" // no text, which has no price
	default:
		return said
	}
}

func (c *counts) detail(name, value []byte) {
	switch string(name) {
	case "ephemeral_5m_input_tokens":
		c.cacheWrite5m = c.number(value)
	case "ephemeral_1h_input_tokens":
		c.cacheWrite1h = c.number(value)
	case "thinking_tokens":
		c.thinking = c.number(value)
	case "web_search_requests", "web_fetch_requests":
		c.requests = c.requests || c.number(value) > 0
	}
}

// each visits the fields of an object that are not null.
func (c *counts) each(object []byte, visit func(name, value []byte)) bool {
	var space [16]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], object, nil)
	if err != nil {
		return false // null, most often
	}
	for _, field := range fields {
		if string(field.Value) != "null" {
			visit(field.Name, field.Value)
		}
	}
	return true
}

func (c *counts) number(value []byte) int64 {
	n, ok := jsonscan.Count(value)
	c.bad = c.bad || !ok
	return n
}

// disjoint is nil without input and output, or with numbers that are none. Where the
// halves of what was written to the cache and their total differ, the total holds.
func (c *counts) disjoint() *usagev1.TokenUsage {
	if c.bad || !c.hasInput || !c.hasOutput {
		return nil
	}
	written := c.cacheWrite
	if !c.hasWrite {
		written = c.cacheWrite5m + c.cacheWrite1h
	}
	usage := usagev1.TokenUsage{Input: c.input, CacheRead: c.cacheRead}
	usage.CacheWrite_1H = min(c.cacheWrite1h, written)
	usage.CacheWrite_5M = written - usage.CacheWrite_1H
	usage.Reasoning = min(c.thinking, c.output)
	usage.Output = c.output - usage.Reasoning
	return &usage
}
