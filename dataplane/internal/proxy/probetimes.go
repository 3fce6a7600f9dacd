package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptrace"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// times are how long each step of a call took; 0: it did not come so far. A transport
// may go on to write them after the call.
type times struct {
	mu                      sync.Mutex
	connect, tls, firstByte time.Duration
	handshake               time.Time
}

func (t *times) trace(begun time.Time) *httptrace.ClientTrace {
	note := func(to *time.Duration, since *time.Time) {
		t.mu.Lock()
		defer t.mu.Unlock()
		*to = max(time.Since(*since), time.Microsecond)
	}
	return &httptrace.ClientTrace{
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				note(&t.connect, &begun)
			}
		},
		TLSHandshakeStart: func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.handshake = time.Now()
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				note(&t.tls, &t.handshake)
			}
		},
		GotFirstResponseByte: func() { note(&t.firstByte, &begun) },
	}
}

// tell puts them into a result.
func (t *times) tell(result *agentv1.ProviderTestResult) *agentv1.ProviderTestResult {
	t.mu.Lock()
	defer t.mu.Unlock()
	took := func(d time.Duration) *int64 {
		if d == 0 {
			return nil
		}
		return proto.Int64(d.Microseconds())
	}
	result.ConnectUs, result.TlsUs, result.FirstByteUs = took(t.connect), took(t.tls), took(t.firstByte)
	return result
}

// unreachable says in our own words why no answer came: names in certificates are the
// other side's.
func unreachable(err error) string {
	var lookup *net.DNSError
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var noTLS tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return "There is no address for the name of its host."
	case errors.As(err, &lookup):
		return "The name of its host can't be looked up."
	case errors.As(err, &host):
		return "Its TLS certificate is for another host."
	case errors.As(err, &authority):
		return "Its TLS certificate is of no authority that this agent trusts."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "Its TLS certificate is over or not valid yet, or the clock of this agent is wrong."
	case errors.As(err, &certificate):
		return "Its TLS certificate does not verify."
	case errors.As(err, &noTLS):
		return "It does not speak TLS."
	}
	return "There is no connection to it: " + cause(err) + "."
}
