// Package webhook sends signed messages to addresses that customers chose. It trusts
// neither the address nor the answer: it connects to allowed addresses only, whatever
// a name resolves to, follows no redirect and reads no body.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

const (
	// Timeout bounds one message, from the name's resolution to the answer's status.
	Timeout = 10 * time.Second

	maxAnswerHeader = 16 << 10
)

var errNotAllowed = errors.New("the address is not allowed")

// Message is what a receiver gets.
type Message struct {
	// ID tells messages apart; a repeated one has the same.
	ID   string
	Sent time.Time
	// Body is JSON.
	Body []byte
}

// Sender sends messages.
type Sender struct{ client *http.Client }

// NewSender returns a sender that connects only to addresses that pass allow.
func NewSender(allow func(netip.Addr) bool) *Sender {
	dialer := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !allow(to.Addr().Unmap()) {
			return errNotAllowed
		}
		return nil
	}}
	return &Sender{client: &http.Client{
		Timeout: Timeout,
		// No proxy: it would connect for us, to wherever the name leads.
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, MaxResponseHeaderBytes: maxAnswerHeader},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Send posts a message, signed with the key, once. An error is about the request
// itself; what came of it is the result.
func (s *Sender) Send(ctx context.Context, url string, key []byte, m Message) (Result, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(m.Body))
	if err != nil {
		return Result{}, fmt.Errorf("send webhook: %w", err)
	}
	request.Header = headers(key, m)
	began := time.Now()
	response, err := s.client.Do(request)
	result := Result{Duration: time.Since(began)}
	if err != nil {
		if ctx.Err() != nil {
			return Result{}, fmt.Errorf("send webhook: %w", ctx.Err())
		}
		result.Delivery = failed(err)
		return result, nil
	}
	result.Status, result.Delivery = response.StatusCode, Refused
	result.RetryAfter = retryAfter(response, time.Now())
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		result.Delivery = Accepted
	}
	_ = response.Body.Close() // unread: nothing in it is wanted
	return result, nil
}
