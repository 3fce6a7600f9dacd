package proxy

import (
	"maps"
	"net/http"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// hopByHop headers belong to one connection (RFC 9110 section 7.6.1).
var hopByHop = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length",
}

var (
	// notUpstream stays with the agent: the caller's credentials, what says where
	// the caller is and what is between, what the agent's own connection decides, whom the provider
	// is to bill for the gateway's credential, the route where it stands for a model, and
	// what has Google leave usage out of its answer or take the request for another one.
	notUpstream = set(hopByHop, "Authorization", "X-Api-Key", "X-Goog-Api-Key", "Api-Key", "Cookie", "Host", "Expect",
		"Accept-Encoding", "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Originating-Ip",
		"X-Remote-Ip", "X-Remote-Addr", "True-Client-Ip", "Client-Ip", "Fastly-Client-Ip", "Fly-Client-Ip", "Cdn-Loop", "Baggage",
		"Openai-Organization", "Openai-Project", "X-Goog-User-Project", "X-Goog-Request-Params", "X-Goog-Fieldmask", "X-Http-Method-Override")
	// notToCaller speaks of the provider's own origin: the caller would apply it to the
	// agent's, and which pages may call that is not the provider's to say.
	notToCaller = set(hopByHop, "Set-Cookie", "Alt-Svc", "Strict-Transport-Security", "Www-Authenticate", "Clear-Site-Data",
		"Location", "Content-Location", "Refresh", "Timing-Allow-Origin", "Content-Security-Policy",
		"Content-Security-Policy-Report-Only", "Nel", "Report-To", "Reporting-Endpoints",
		"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
		"Access-Control-Allow-Methods", "Access-Control-Allow-Private-Network", "Access-Control-Expose-Headers",
		"Access-Control-Max-Age")
)

// ownPrefix is of the headers between callers and the agent. networkPrefixes are of those by
// which proxies in front of it tell of the caller and its network.
const ownPrefix = "X-Weir-"

var networkPrefixes = []string{"X-Forwarded-", "Cf-", "X-Envoy-", "X-Original-", "X-Appengine-"}

// accountPrefixes are of what a provider says of the account behind its credential: other
// callers use it too, and the agent tells of its own limits by the same names.
var accountPrefixes = []string{"X-Ratelimit", "Anthropic-Ratelimit-", "Anthropic-Priority-", "Anthropic-Fast-", "Ratelimit"}

// identity asks for answers whose usage can be read on the way.
var identity = []string{"identity"}

func set(names []string, more ...string) map[string]bool {
	s := map[string]bool{}
	for _, name := range append(append([]string{}, names...), more...) {
		s[name] = true
	}
	return s
}

// upstreamHeader is what goes to the provider: of the caller's header what may
// pass, then the provider's own, then what only the agent decides. Values are
// shared, not copied.
func upstreamHeader(from http.Header, provider *snapshot.Provider, credential secret.Value) http.Header {
	own := provider.Headers
	to := make(http.Header, len(from)+len(own)+2)
	pass(to, from, notUpstream, networkPrefixes)
	maps.Copy(to, own)
	authorize(to, provider.Dialect, credential)
	to["Accept-Encoding"] = identity
	if _, there := to["User-Agent"]; !there {
		to["User-Agent"] = nil // else the transport names itself
	}
	// By these names the transport would know that it may send a request again that
	// may have arrived: one attempt would be recorded, and two paid.
	lowerCase(to, "Idempotency-Key", "idempotency-key")
	lowerCase(to, "X-Idempotency-Key", "x-idempotency-key")
	return to
}

// traceContext is what of a caller's header means the same in every dialect.
// Source: https://www.w3.org/TR/trace-context/
var traceContext = []string{"Traceparent", "Tracestate"}

// translatedHeader is the header of a body that the agent wrote: what else the caller's
// says is of the dialect that it speaks.
func translatedHeader(callers http.Header) http.Header {
	header := http.Header{"Content-Type": jsonType}
	for _, name := range traceContext {
		if values := callers[name]; values != nil && !listed(callers["Connection"], name) {
			header[name] = values
		}
	}
	return header
}

// lowerCase writes a header in a way that net/http does not look up and that means
// the same to the other side.
func lowerCase(header http.Header, name, lower string) {
	if values, there := header[name]; there {
		delete(header, name)
		header[lower] = values
	}
}

// answerHeader adds what the caller gets of a provider's header.
func answerHeader(to, from http.Header) { pass(to, from, notToCaller, accountPrefixes) }

// pass copies all but the names and prefixes left out, the agent's own, and those that
// Connection lists.
func pass(to, from http.Header, without map[string]bool, prefixes []string) {
	connection := from["Connection"]
	for name, values := range from {
		if without[name] || strings.HasPrefix(name, ownPrefix) || begins(name, prefixes) || listed(connection, name) {
			continue
		}
		to[name] = values
	}
}

func begins(name string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func listed(connection []string, name string) bool {
	for _, line := range connection {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(token), name) {
				return true
			}
		}
	}
	return false
}
