package fleettest

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// InProcess is a transport that calls a handler without a network, so that a
// testing/synctest bubble holds both ends. A writer waits for its reader.
type InProcess struct {
	Handler http.Handler
	calls   sync.WaitGroup
}

// RoundTrip implements http.RoundTripper; it returns with the first bytes of the answer.
func (p *InProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(req.Context())
	w := &answer{header: make(http.Header), body: writer, began: make(chan struct{})}
	p.calls.Go(func() {
		defer cancel()
		p.Handler.ServeHTTP(w, req.WithContext(ctx))
		w.WriteHeader(http.StatusOK)
		writer.Close()
	})
	context.AfterFunc(ctx, func() { writer.CloseWithError(io.EOF) })
	select {
	case <-req.Context().Done():
		return nil, req.Context().Err()
	case <-w.began:
	}
	return &http.Response{
		StatusCode: w.status, Header: w.sent, Body: &body{PipeReader: reader, cancel: cancel},
		Proto: "HTTP/2.0", ProtoMajor: 2, Request: req, ContentLength: -1, Trailer: make(http.Header),
	}, nil
}

// Wait for the handlers of all calls.
func (p *InProcess) Wait() { p.calls.Wait() }

type answer struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	began  chan struct{}
	status int
	sent   http.Header
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }

func (a *answer) WriteHeader(status int) {
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.began)
	})
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// body ends the handler's request when it is closed.
type body struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *body) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
