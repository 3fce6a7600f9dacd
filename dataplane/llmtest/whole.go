package llmtest

import (
	"errors"
	"net/http"
	"strconv"
)

// sendWhole sends an answer that is one body, with the faults that befall one. It is
// settled before its last byte.
func sendWhole(w http.ResponseWriter, body []byte, fault Fault, settle func(outcome)) error {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	switch fault.Kind {
	case Cut:
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		abort()
	case Malformed:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)/2))
		body = body[:len(body)/2]
	}
	settle(completed)
	if _, err := w.Write(body); err != nil && !fault.IgnoreCancel {
		return errors.Join(errInterrupted, err)
	}
	return nil
}
