package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Delivery is what came of a message.
type Delivery int

// What can come of a message.
const (
	// Accepted: the receiver answered with a 2xx.
	Accepted Delivery = iota + 1
	// Refused: it answered with another status.
	Refused
	// Unreachable: no connection, or it broke off before an answer.
	Unreachable
	// TimedOut: no answer within Timeout.
	TimedOut
	// NotAllowed: its address is none that this sends to.
	NotAllowed
	// TLSFailed: most likely its certificate.
	TLSFailed
)

// Result is what came of a message, and how fast.
type Result struct {
	Delivery Delivery
	// Status of the answer; 0: there was none.
	Status   int
	Duration time.Duration
	// RetryAfter is how long the receiver wants to be left alone, of 429 and 5xx; 0: it
	// did not say.
	RetryAfter time.Duration
}

func failed(err error) Delivery {
	var network net.Error
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.Is(err, errNotAllowed):
		return NotAllowed
	case errors.As(err, &certificate), errors.As(err, &alert), errors.As(err, &record), errors.As(err, &authority), errors.Is(err, http.ErrSchemeMismatch):
		return TLSFailed
	case errors.As(err, &network) && network.Timeout():
		return TimedOut
	}
	return Unreachable
}

// retryAfter reads what a receiver says in its header: seconds, or a date (RFC 9110, 10.2.3).
func retryAfter(response *http.Response, now time.Time) time.Duration {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode < 500 {
		return 0
	}
	text := response.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second //nolint:gosec // 32 bits
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
