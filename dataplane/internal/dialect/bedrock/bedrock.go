// Package bedrock converts chats for upstreams that speak Amazon Bedrock's Converse; no
// application speaks it to a gateway. It sends and signs nothing; package eventstream splits
// the stream that comes back.
// Format: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
package bedrock

import (
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// Provider asks upstreams that speak Converse.
type Provider struct {
	// emulated is the tool whose arguments are the answer's text; empty: none.
	emulated string
	stream   stream
}

var _ chat.Provider = (*Provider)(nil)

// NewProvider is for one attempt.
func NewProvider() *Provider { return new(Provider) }
