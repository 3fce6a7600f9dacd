package proxy

import (
	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// reader is what policy needs of a body in a dialect.
type reader interface {
	Parse(body []byte) (dialect.Request, *dialect.Refusal)
	Answer(body []byte) dialect.Answer
}

// way is how providers of a dialect are asked for chats that come in another one.
type way struct {
	once, stream snapshot.Endpoint
	// dialect reads what is sent and what comes back.
	dialect   reader
	converter func() chat.Provider
	// frames: its streams are AWS's event streams, not server-sent events.
	frames bool
}

func (w *way) endpoint(streamed bool) snapshot.Endpoint {
	if streamed {
		return w.stream
	}
	return w.once
}

var ways = map[policyv1.Dialect]*way{
	policyv1.Dialect_DIALECT_OPENAI:            {once: snapshot.OpenAIChat, stream: snapshot.OpenAIChat, dialect: openai.Chat{}, converter: newOpenAI},
	policyv1.Dialect_DIALECT_AZURE_OPENAI:      {once: snapshot.OpenAIChat, stream: snapshot.OpenAIChat, dialect: openai.Chat{}, converter: newOpenAI},
	policyv1.Dialect_DIALECT_OPENAI_COMPATIBLE: {once: snapshot.OpenAIChat, stream: snapshot.OpenAIChat, dialect: openai.Chat{}, converter: newCompatible},
	policyv1.Dialect_DIALECT_ANTHROPIC:         {once: snapshot.AnthropicMessages, stream: snapshot.AnthropicMessages, dialect: anthropic.Messages{}, converter: newAnthropic},
	policyv1.Dialect_DIALECT_GEMINI:            {once: snapshot.GeminiGenerate, stream: snapshot.GeminiStream, dialect: gemini.Generate{}, converter: newGemini},
	policyv1.Dialect_DIALECT_VERTEX:            {once: snapshot.GeminiGenerate, stream: snapshot.GeminiStream, dialect: gemini.Generate{}, converter: newVertex},
	policyv1.Dialect_DIALECT_BEDROCK:           {once: snapshot.BedrockConverse, stream: snapshot.BedrockStream, dialect: bedrock.Converse{}, converter: newBedrock, frames: true},
}

func newOpenAI() chat.Provider     { return openai.NewProvider() }
func newCompatible() chat.Provider { return openai.NewCompatible() }
func newAnthropic() chat.Provider  { return anthropic.NewProvider() }
func newBedrock() chat.Provider    { return bedrock.NewProvider() }
func newGemini() chat.Provider     { return gemini.NewProvider() }
func newVertex() chat.Provider     { return gemini.NewVertex() }

// wayOf is nil for a target whose dialect is not translated.
func wayOf(target *snapshot.Target) *way { return ways[target.Provider.Dialect] }
