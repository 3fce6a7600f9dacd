package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/proto/contract/agentjwt"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
)

const (
	tokenLifetime = 30 * time.Second
	// maxMessageBytes bounds what is read as one message: a full policy and a full
	// set of revocations.
	maxMessageBytes = 96 << 20
	// reasonHeader carries why a call was refused.
	reasonHeader = "Weir-Reason"
)

// RefusedError says why the control plane does not believe this agent.
type RefusedError struct {
	Reason  string // agent_unknown, token_expired, …
	Message string
}

func (e *RefusedError) Error() string { return "refused: " + e.Message }

// clock is the control plane's time, known from what it answers.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())) }

// learn ignores differences within the precision of an HTTP date and a slow answer.
func (c *clock) learn(server time.Time) {
	if offset := time.Until(server); server.Unix() > 0 && (offset-time.Duration(c.offset.Load())).Abs() > 2*time.Second {
		c.offset.Store(int64(offset))
	}
}

// transport signs every call but Enroll, and learns the time.
type transport struct {
	base     *http.Transport
	audience string
	identity *atomic.Pointer[Identity]
	clock    clock
}

func newTransport(base *http.Transport, audience string, identity *atomic.Pointer[Identity]) *transport {
	if base == nil {
		base = http.DefaultTransport.(*http.Transport).Clone()
		base.DialContext = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	} else {
		base = base.Clone()
	}
	base.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second}
	return &transport{base: base, audience: audience, identity: identity}
}

func newService(t *transport, url string) agentv1connect.AgentServiceClient {
	return agentv1connect.NewAgentServiceClient(&http.Client{Transport: t}, url, connect.WithReadMaxBytes(maxMessageBytes))
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if identity := t.identity.Load(); identity != nil && req.URL.Path != agentv1connect.AgentServiceEnrollProcedure {
		signed, err := t.sign(req, identity)
		if err != nil {
			return nil, err
		}
		req = signed
	}
	res, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		t.clock.learn(date)
	}
	if reason := res.Header.Get(reasonHeader); reason != "" && res.StatusCode == http.StatusUnauthorized && req.Header.Get("Authorization") != "" {
		return nil, readRefusal(res, reason)
	}
	if touch, ok := req.Context().Value(touchKey{}).(func()); ok {
		res.Body = &touchedBody{ReadCloser: res.Body, touch: touch}
	}
	return res, nil
}

func (t *transport) sign(req *http.Request, identity *Identity) (*http.Request, error) {
	now := t.clock.now()
	claims := agentjwt.Claims{
		Agent:    identity.AgentID,
		Audience: t.audience,
		RPC:      req.URL.Path,
		IssuedAt: now,
		Expiry:   now.Add(tokenLifetime),
	}
	signed := req.Clone(req.Context())
	if req.URL.Path != agentv1connect.AgentServiceWatchProcedure {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, fmt.Errorf("read request to sign it: %w", err)
		}
		_ = req.Body.Close()
		signed.Body = io.NopCloser(bytes.NewReader(body))
		signed.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		claims.BodyHash = agentjwt.HashBody(body)
	}
	token, err := agentjwt.Sign(identity.key, claims)
	if err != nil {
		return nil, err
	}
	signed.Header.Set("Authorization", "Bearer "+token)
	return signed, nil
}

func readRefusal(res *http.Response, reason string) error {
	defer res.Body.Close()
	refused := &RefusedError{Reason: reason, Message: reason}
	var body struct {
		Message string `json:"message"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 4<<10)).Decode(&body); err == nil && body.Message != "" {
		refused.Message = body.Message
	}
	return refused
}

type touchKey struct{}

// withTouch has touch called for everything that arrives in answer.
func withTouch(ctx context.Context, touch func()) context.Context {
	return context.WithValue(ctx, touchKey{}, touch)
}

type touchedBody struct {
	io.ReadCloser
	touch func()
}

func (b *touchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.touch()
	}
	return n, err
}
