// Package bedrock converts chats for upstreams that speak Amazon Bedrock's Converse; no
// application speaks it to a gateway. It sends and signs nothing: Path says where a body
// goes, package eventstream splits the stream that comes back.
// Format: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
package bedrock

import (
	"strings"

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

// Path is where an upstream has a model, below its base URL, escaped as AWS's SDKs do: a
// model may be an ARN, which has colons and slashes.
func Path(model string, stream bool) string {
	operation := "/converse"
	if stream {
		operation = "/converse-stream"
	}
	return "/model/" + escape(model) + operation
}

const hexDigits = "0123456789ABCDEF"

// escape leaves only what RFC 3986 calls unreserved; url.PathEscape leaves colons too.
func escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}
