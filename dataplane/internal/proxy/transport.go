package proxy

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"time"
)

// TransportConfig tunes the way to upstreams. Zero values give the defaults.
type TransportConfig struct {
	// Proxy is an HTTP proxy to go through. Nil: none, whatever the environment
	// says.
	Proxy *url.URL
	// DialTimeout bounds connecting; 10 s.
	DialTimeout time.Duration
	// Resolver of names; nil: the system's.
	Resolver *net.Resolver
	// MaxIdlePerHost connections are kept; 1024.
	MaxIdlePerHost int
}

// withoutPool is the same way to upstreams over connections of its own, each for one
// request: to learn whether one can be made.
func withoutPool(transport http.RoundTripper) http.RoundTripper {
	pooled, ok := transport.(*http.Transport)
	if !ok {
		return transport
	}
	fresh := pooled.Clone()
	fresh.DisableKeepAlives = true
	return fresh
}

// NewTransport makes the transport to upstreams. It neither asks for compression
// nor undoes it: the agent asks for none, so that usage can be read and bytes pass
// as they came.
func NewTransport(config TransportConfig) *http.Transport {
	dialer := net.Dialer{Timeout: cmp.Or(config.DialTimeout, 10*time.Second), KeepAlive: 30 * time.Second, Resolver: config.Resolver}
	transport := &http.Transport{
		DialContext:            guarded(dialer),
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    cmp.Or(config.MaxIdlePerHost, 1024),
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		// A connection that died silently would swallow all requests to its host.
		HTTP2:           &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
		WriteBufferSize: 16 << 10,
		ReadBufferSize:  16 << 10,
	}
	if config.Proxy != nil {
		transport.Proxy = http.ProxyURL(config.Proxy)
	}
	return transport
}
