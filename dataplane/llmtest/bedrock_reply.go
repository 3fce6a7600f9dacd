package llmtest

import (
	"fmt"
	"net/http"
	"strings"
)

// converseReply is one planned answer in this dialect; it is planned and counted as an
// Anthropic message is.
type converseReply struct {
	*messageReply
	request converseRequest
}

func (c *converseReply) refuse(w http.ResponseWriter, status int) {
	c.fault.retryAfter(w.Header())
	writeBedrockError(w, status, bedrockFault(c.fault))
}

// whole sends the answer as one JSON body.
func (c *converseReply) whole(w http.ResponseWriter, pace pace) error {
	if err := c.count(pace); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return sendWhole(w, c.body(), c.fault, c.settle)
}

func (c *converseReply) body() []byte {
	var blocks []string
	for i := range c.blocks {
		blocks = append(blocks, c.block(&c.blocks[i]))
	}
	b := fmt.Appendf(nil, `{"metrics":{"latencyMs":7},"output":{"message":{"content":[%s],"role":"assistant"}},%s`, strings.Join(blocks, ","), c.ending())
	return append(append(b, c.metadata()...), '}')
}

func (c *converseReply) block(block *messageBlock) string {
	text := block.text()
	switch block.kind {
	case "thinking":
		return fmt.Sprintf(`{"reasoningContent":{"reasoningText":{"signature":%s,"text":%s}}}`, quote(sign(text)), quote(text))
	case "redacted_thinking":
		return `{"reasoningContent":{"redactedContent":"` + redacted + `"}}`
	case "tool_use":
		if c.stop == "max_tokens" {
			text = "{}" // it was cut off
		}
		return fmt.Sprintf(`{"toolUse":{"input":%s,"name":%s,"toolUseId":%s}}`, text, quote(block.name), quote(block.id))
	}
	return fmt.Sprintf(`{"text":%s}`, quote(text))
}

// converseStops are the reasons that are not called as Anthropic calls them.
var converseStops = map[string]string{"refusal": "content_filtered"}

func (c *converseReply) ending() string {
	stop, ok := converseStops[c.stop]
	if !ok {
		stop = c.stop
	}
	more := ""
	if c.sequence != "" && c.request.asksSequence {
		more = fmt.Sprintf(`"additionalModelResponseFields":{"stop_sequence":%s},`, quote(c.sequence))
	}
	return fmt.Sprintf(`%s"stopReason":"%s"`, more, stop)
}

// metadata is what stands beside the answer, from the comma on.
func (c *converseReply) metadata() string {
	text := ""
	if c.request.tier != "" {
		text = fmt.Sprintf(`,"serviceTier":{"type":"%s"}`, c.request.tier)
	}
	if c.fault.Kind == NoUsage {
		return text
	}
	return text + `,"usage":` + c.usage()
}

// usage has thinking as a part of output; input is what the cache neither gave nor took.
func (c *converseReply) usage() string {
	p, output := &c.prompt, c.output()
	var details []string
	for _, written := range []struct {
		ttl    string
		tokens int64
	}{{"1h", p.CacheWrite1h}, {"5m", p.CacheWrite5m}} {
		if written.tokens > 0 {
			details = append(details, fmt.Sprintf(`{"inputTokens":%d,"ttl":"%s"}`, written.tokens, written.ttl))
		}
	}
	write := p.CacheWrite5m + p.CacheWrite1h
	return fmt.Sprintf(`{"cacheDetails":[%s],"cacheReadInputTokens":%d,"cacheWriteInputTokens":%d,"inputTokens":%d,"outputTokens":%d,"totalTokens":%d}`,
		strings.Join(details, ","), p.CachedInput, write, p.Input, output, p.Input+p.CachedInput+write+output)
}
