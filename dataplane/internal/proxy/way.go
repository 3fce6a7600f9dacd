package proxy

import (
	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// way is how providers of a dialect are asked for chats that come in another one.
type way struct {
	once, stream snapshot.Endpoint
	// dialect reads what is sent.
	dialect   dialect.Dialect
	converter func() chat.Provider
}

func (w *way) endpoint(streamed bool) snapshot.Endpoint {
	if streamed {
		return w.stream
	}
	return w.once
}

var ways = map[policyv1.Dialect]*way{
	policyv1.Dialect_DIALECT_OPENAI:            {snapshot.OpenAIChat, snapshot.OpenAIChat, openai.Chat{}, newOpenAI},
	policyv1.Dialect_DIALECT_AZURE_OPENAI:      {snapshot.OpenAIChat, snapshot.OpenAIChat, openai.Chat{}, newOpenAI},
	policyv1.Dialect_DIALECT_OPENAI_COMPATIBLE: {snapshot.OpenAIChat, snapshot.OpenAIChat, openai.Chat{}, newCompatible},
	policyv1.Dialect_DIALECT_ANTHROPIC:         {snapshot.AnthropicMessages, snapshot.AnthropicMessages, anthropic.Messages{}, newAnthropic},
}

func newOpenAI() chat.Provider     { return openai.NewProvider() }
func newCompatible() chat.Provider { return openai.NewCompatible() }
func newAnthropic() chat.Provider  { return anthropic.NewProvider() }

// wayOf is nil for a target whose dialect is not translated.
func wayOf(target *snapshot.Target) *way { return ways[target.Provider.Dialect] }
