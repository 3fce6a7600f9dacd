package proxy

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
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
	// Roots that upstreams' certificates may be of; nil: the system's.
	Roots *x509.CertPool
	// MaxIdlePerHost connections are kept; 1024.
	MaxIdlePerHost int
	// MaxAge is how long connections take new requests; 5 min. Then names are asked for
	// again, so that an upstream that moved is followed however busy its connections are.
	MaxAge time.Duration
	// PingAfter is the silence of an HTTP/2 connection after which it has to answer a ping
	// within PingTimeout; 15 s and 10 s. A connection that died without a word would
	// swallow all requests to its host.
	PingAfter, PingTimeout time.Duration
}

// Transport is the way to upstreams. Connections are kept and shared by all requests to
// an origin: HTTP/2 where the upstream offers it, with another connection where one has as
// many streams as the upstream allows, else HTTP/1.1. Those that reached their age take no
// new request and end with their last one. TLS sessions outlive them, so that a new one is
// resumed.
type Transport struct {
	config   TransportConfig
	dialer   net.Dialer
	sessions tls.ClientSessionCache
	current  atomic.Pointer[generation]
	traffic  traffic
}

// generation are the connections of one age.
type generation struct {
	*http.Transport
	until time.Time
}

var _ http.RoundTripper = (*Transport)(nil)

// sessionsKept is enough for all origins that a policy can have, several each.
const sessionsKept = 1024

// NewTransport makes the transport to upstreams. It neither asks for compression
// nor undoes it: the agent asks for none, so that usage can be read and bytes pass
// as they came.
func NewTransport(config TransportConfig) *Transport {
	t := &Transport{config: config, sessions: tls.NewLRUClientSessionCache(sessionsKept)}
	t.dialer = net.Dialer{
		Timeout: cmp.Or(config.DialTimeout, 10*time.Second), Resolver: config.Resolver,
		// One whose other end is gone is noticed within half a minute, idle or not.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
	}
	t.current.Store(t.begin())
	return t
}

func (t *Transport) begin() *generation {
	return &generation{Transport: t.connecting(), until: time.Now().Add(cmp.Or(t.config.MaxAge, 5*time.Minute))}
}

// connecting is a transport without a connection yet.
func (t *Transport) connecting() *http.Transport {
	transport := &http.Transport{
		DialContext:            t.traffic.counted(guarded(t.dialer)),
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.config.Roots, ClientSessionCache: t.sessions},
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    cmp.Or(t.config.MaxIdlePerHost, 1024),
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout: cmp.Or(t.config.PingAfter, 15*time.Second), PingTimeout: cmp.Or(t.config.PingTimeout, 10*time.Second),
		},
		// Larger ones save no calls where bodies are large, for those pass them by, and cost
		// as much as each open stream itself.
		WriteBufferSize: 4 << 10,
		ReadBufferSize:  4 << 10,
	}
	if t.config.Proxy != nil {
		transport.Proxy = http.ProxyURL(t.config.Proxy)
	}
	return transport
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.young().RoundTrip(r)
}

// young are the connections that take requests now.
func (t *Transport) young() *http.Transport {
	old := t.current.Load()
	if time.Now().Before(old.until) {
		return old.Transport
	}
	if t.current.CompareAndSwap(old, t.begin()) {
		old.CloseIdleConnections() // and those in use once they are idle
	}
	return t.current.Load().Transport
}

// CloseIdleConnections closes those that no request uses.
func (t *Transport) CloseIdleConnections() { t.current.Load().CloseIdleConnections() }

// withoutPool is the same way to upstreams over connections of its own, each for one
// request: to learn whether one can be made.
func withoutPool(transport http.RoundTripper) http.RoundTripper {
	pooled, ok := transport.(*Transport)
	if !ok {
		return transport
	}
	fresh := pooled.connecting()
	fresh.DisableKeepAlives = true
	return fresh
}
