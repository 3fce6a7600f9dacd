package llmtest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Tokens are disjoint buckets: Input leaves out what came from the cache or was written to it, Output what was
// reasoning.
type Tokens struct {
	Input        int64 `json:"input"`
	CachedInput  int64 `json:"cached_input"`
	CacheWrite5m int64 `json:"cache_write_5m,omitempty"`
	CacheWrite1h int64 `json:"cache_write_1h,omitempty"`
	Output       int64 `json:"output"`
	Reasoning    int64 `json:"reasoning"`
	InputAudio   int64 `json:"input_audio,omitempty"`
	OutputAudio  int64 `json:"output_audio,omitempty"`
}

// Served is the account of one model. Requests is the sum of the three outcomes.
type Served struct {
	Requests int64 `json:"requests"`
	// Completed were answered to their end; Failed got an error instead of an answer; Interrupted broke in between,
	// by a fault or by the caller, and were charged for what was generated until then.
	Completed   int64  `json:"completed"`
	Failed      int64  `json:"failed"`
	Interrupted int64  `json:"interrupted"`
	Tokens      Tokens `json:"tokens"`
}

// Ledger is what a provider would put on its invoice. Requests refused before a model was known are in Refused.
type Ledger struct {
	Refused int64             `json:"refused"`
	Total   Served            `json:"total"`
	Models  map[string]Served `json:"models"`
}

type outcome int

const (
	completed outcome = iota
	failed
	interrupted
)

func (s *Served) add(result outcome, tokens Tokens) {
	s.Requests++
	switch result {
	case completed:
		s.Completed++
	case failed:
		s.Failed++
	case interrupted:
		s.Interrupted++
	}
	s.Tokens.Input += tokens.Input
	s.Tokens.CachedInput += tokens.CachedInput
	s.Tokens.CacheWrite5m += tokens.CacheWrite5m
	s.Tokens.CacheWrite1h += tokens.CacheWrite1h
	s.Tokens.Output += tokens.Output
	s.Tokens.Reasoning += tokens.Reasoning
	s.Tokens.InputAudio += tokens.InputAudio
	s.Tokens.OutputAudio += tokens.OutputAudio
}

// maxBreaks bounds what is kept of when answers broke off.
const maxBreaks = 10_000

type account struct {
	mu     sync.Mutex
	ledger Ledger
	breaks []time.Time
}

func (a *account) add(model string, result outcome, tokens Tokens) {
	a.mu.Lock()
	defer a.mu.Unlock()
	served := a.ledger.Models[model]
	served.add(result, tokens)
	a.ledger.Models[model] = served
	if result == interrupted && len(a.breaks) < maxBreaks {
		a.breaks = append(a.breaks, time.Now())
	}
	a.ledger.Total.add(result, tokens)
}

// charge writes the account, and tells who asked for each.
func (s *Server) charge(ctx context.Context, model string, result outcome, tokens Tokens) {
	s.ledger.add(model, result, tokens)
	if s.options.Billed != nil {
		s.options.Billed(ctx, Bill{Model: model, Completed: result == completed, Tokens: tokens})
	}
}

func (a *account) refuse() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ledger.Refused++
}

func (a *account) interruptions() []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]time.Time(nil), a.breaks...)
}

func (a *account) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.breaks = nil
	a.ledger = Ledger{Models: map[string]Served{}}
}

func (a *account) snapshot() Ledger {
	a.mu.Lock()
	defer a.mu.Unlock()
	ledger := a.ledger
	ledger.Models = maps.Clone(ledger.Models)
	return ledger
}

// Request is one request as received, its body whole.
type Request struct {
	At     time.Time
	Method string
	Path   string
	Query  string
	Header http.Header
	Body   []byte
}

// receive reads a request, keeps it, and numbers it.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (body []byte, number int64, err error) {
	at := s.options.Now()
	body, err = readBody(w, r)
	came := r
	if first, there := r.Context().Value(asItCame{}).(*http.Request); there {
		came = first
	}
	s.kept.add(Request{At: at, Method: r.Method, Path: came.URL.Path, Query: came.URL.RawQuery, Header: came.Header.Clone(), Body: body})
	return body, s.served.Add(1), err
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limited := http.MaxBytesReader(w, r.Body, maxBodyBytes)
	if r.ContentLength < 0 || r.ContentLength > maxBodyBytes {
		return io.ReadAll(limited)
	}
	var b bytes.Buffer
	b.Grow(int(r.ContentLength) + bytes.MinRead)
	_, err := b.ReadFrom(limited)
	return b.Bytes(), err
}

// recorder keeps the latest requests, bounded by number and bytes of bodies.
type recorder struct {
	mu    sync.Mutex
	limit int
	bytes int
	kept  []Request
}

func (r *recorder) add(request Request) {
	if r.limit < 0 || len(request.Body) > maxKeptBytes {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, request)
	r.bytes += len(request.Body)
	drop := 0
	for len(r.kept)-drop > r.limit || r.bytes > maxKeptBytes {
		r.bytes -= len(r.kept[drop].Body)
		r.kept[drop] = Request{}
		drop++
	}
	r.kept = r.kept[drop:]
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept, r.bytes = nil, 0
}

func (r *recorder) snapshot() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Request(nil), r.kept...)
}
