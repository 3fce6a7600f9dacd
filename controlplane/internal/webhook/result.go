package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
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
