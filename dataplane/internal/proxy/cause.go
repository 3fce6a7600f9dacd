package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// cause describes an upstream's failure for the log. Errors of net/http may quote
// what the upstream sent, so only those known to quote nothing are written out;
// of others the type is.
func cause(err error) string {
	var operation *net.OpError
	var certificate *tls.CertificateVerificationError
	for _, plain := range []error{io.EOF, io.ErrUnexpectedEOF, context.Canceled, context.DeadlineExceeded, errSilent, errTooLarge, ErrStopping} {
		if errors.Is(err, plain) {
			return plain.Error()
		}
	}
	var late *tooLate
	switch {
	case errors.As(err, &late):
		return late.Error()
	case errors.As(err, &operation):
		return operation.Error()
	case errors.As(err, &certificate):
		return certificate.Error()
	case timedOut(err):
		return "timeout"
	}
	return fmt.Sprintf("%T", err)
}
