package proxy_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// forgetful records nothing: the spool has its own benchmarks.
type forgetful struct{}

func (forgetful) Start(*usagev1.UsageRecord) (uint64, error)         { return 1, nil }
func (forgetful) Forgo(uint64, *usagev1.UsageRecord) (uint64, error) { return 0, nil }
func (forgetful) Again(uint64, *usagev1.UsageRecord) error           { return nil }
func (forgetful) End(uint64, *usagev1.UsageRecord) error             { return nil }
func (forgetful) Refuse(*usagev1.UsageRecord) error                  { return nil }

const chunk = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" water"},"finish_reason":null}],"usage":null}` + "\n\n"

// instant answers at once, so that what is measured is the proxy.
func instant(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if !bytes.Contains(body, []byte(`"stream":true`)) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":"water"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for range 20 {
		_, _ = io.WriteString(w, chunk)
		_ = http.NewResponseController(w).Flush()
	}
	_, _ = io.WriteString(w, `data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`+"\n\ndata: [DONE]\n\n")
}

// written is a log that is written in full and goes nowhere: with slog's own
// discarding handler no line would be made, and its cost not be measured.
func written(b testing.TB) *slog.Logger {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = null.Close() })
	return slog.New(slog.NewJSONHandler(null, nil))
}

func newBench(b testing.TB) (direct, bare, weir string) {
	upstream := httptest.NewServer(http.HandlerFunc(instant))
	target, _ := url.Parse(upstream.URL)
	transport := proxy.NewTransport(proxy.TransportConfig{})
	bareTransport := proxy.NewTransport(proxy.TransportConfig{})
	bareProxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: bareTransport}
	reverse := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Else net/http's server closes the body under the transport that still looks
		// for its end, and now and then an answer breaks.
		_ = http.NewResponseController(w).EnableFullDuplex()
		bareProxy.ServeHTTP(w, r)
	}))
	holder := &snapshot.Holder{}
	holder.Store((&harness{t: b}).policy(upstream.URL))
	handler, err := proxy.New(proxy.Config{Policy: holder, Recorder: forgetful{}, ErrSpoolFull: errFull, Quotas: noQuotas(b), Transport: transport,
		Secrets: secrets{"env://WEIR_SECRET_MOCK": upstreamKey}, Sealed: openers{}, Freshness: time.Now, Unserved: func() error { return nil },
		Logger: written(b), Metrics: prometheus.NewRegistry()})
	if err != nil {
		b.Fatal(err)
	}
	agent := httptest.NewServer(handler)
	b.Cleanup(func() {
		agent.Close()
		reverse.Close()
		upstream.Close()
		transport.CloseIdleConnections()
		bareTransport.CloseIdleConnections()
	})
	return upstream.URL, reverse.URL, agent.URL
}

func ask(b testing.TB, client *http.Client, address, body string) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	response, err := client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("status %d, %v", response.StatusCode, err)
	}
}

// BenchmarkAdded measures what the agent and a bare httputil.ReverseProxy add to
// the same requests, in turns, and reports the medians and their ratio.
func BenchmarkAdded(b *testing.B) {
	oneKB := strings.Replace(question, "how much water passed", strings.Repeat("how much water passed ", 45), 1)
	for name, body := range map[string]string{"whole_1KB": oneKB + `}`, "stream_20_events": oneKB + `,"stream":true}`} {
		b.Run(name, func(b *testing.B) {
			direct, bare, weir := newBench(b)
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			times := map[string][]time.Duration{}
			for b.Loop() {
				for _, address := range []string{direct, bare, weir} {
					begun := time.Now()
					ask(b, client, address, body)
					times[address] = append(times[address], time.Since(begun))
				}
			}
			for _, t := range times {
				slices.Sort(t)
			}
			median := func(address string) float64 { return float64(times[address][len(times[address])/2].Microseconds()) }
			b.ReportMetric(median(bare)-median(direct), "bare-µs")
			b.ReportMetric(median(weir)-median(direct), "weir-µs")
			b.ReportMetric((median(weir)-median(direct))/max(1, median(bare)-median(direct)), "ratio")
		})
	}
}

// BenchmarkThroughput compares requests per second over 64 connections.
func BenchmarkThroughput(b *testing.B) {
	_, bare, weir := newBench(b)
	perSecond := map[string]float64{}
	for _, way := range []struct{ name, address string }{{"bare", bare}, {"weir", weir}} {
		b.Run(way.name, func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			defer client.CloseIdleConnections()
			b.SetParallelism(64 / runtime.GOMAXPROCS(0))
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					ask(b, client, way.address, question+`}`)
				}
			})
			perSecond[way.name] = float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(perSecond[way.name], "requests/s")
			if way.name == "weir" && perSecond["bare"] > 0 {
				b.ReportMetric(perSecond["weir"]/perSecond["bare"], "ratio")
			}
		})
	}
}

// discard is a caller that takes everything.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) Flush()                      {}

func (d discard) SetReadDeadline(time.Time) error  { return nil }
func (d discard) SetWriteDeadline(time.Time) error { return nil }

// canned is a transport that reads the request and answers from memory.
type canned struct {
	answer []byte
	kind   string // its media type; empty: JSON
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {cmp.Or(c.kind, "application/json")}}, Body: io.NopCloser(bytes.NewReader(c.answer)),
		ContentLength: int64(len(c.answer)), Request: r}, nil
}

// BenchmarkHandler is the agent's own part of a request of 1 KB: no network, no spool.
func BenchmarkHandler(b *testing.B) {
	answer := []byte(`{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`)
	body := strings.Replace(question, "how much water passed", strings.Repeat("x", 1<<10), 1) + `}`
	for name, log := range map[string]*slog.Logger{"logged": written(b), "not_logged": slog.New(slog.DiscardHandler)} {
		b.Run(name, func(b *testing.B) {
			h := newHarness(b, func(c *proxy.Config) {
				c.Transport, c.Recorder, c.Logger = canned{answer: answer}, forgetful{}, log
			})
			from := strings.NewReader(body)
			request := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", from)
			request.Header.Set("Authorization", "Bearer "+goodKey)
			request.ContentLength = int64(len(body))
			b.ReportAllocs()
			for b.Loop() {
				from.Reset(body)
				h.handler.ServeHTTP(discard{http.Header{}}, request)
			}
		})
	}
}

// TestAllocationsDoNotGrowWithTheBody: one buffer holds a body, and nothing else
// is allocated for it. The bound leaves room for that one: the race detector makes
// pools forget now and then.
func TestAllocationsDoNotGrowWithTheBody(t *testing.T) {
	answer := []byte(`{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`)
	h := newHarness(t, func(c *proxy.Config) {
		c.Transport = canned{answer: answer}
		c.Recorder = forgetful{}
		c.Logger = slog.New(slog.DiscardHandler)
	})
	measure := func(size int) (count, perRun uint64) {
		body := strings.Replace(question, "how much water passed", strings.Repeat("x", size), 1) + `}`
		run := func() {
			request := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
			request.Header.Set("Authorization", "Bearer "+goodKey)
			w := discard{http.Header{}}
			h.handler.ServeHTTP(w, request)
			if w.header.Get("Content-Length") != fmt.Sprint(len(answer)) {
				t.Fatalf("the request was refused: %v", w.header)
			}
		}
		run()
		const runs = 200
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			run()
		}
		runtime.ReadMemStats(&after)
		return (after.Mallocs - before.Mallocs) / runs, (after.TotalAlloc - before.TotalAlloc) / runs
	}
	smallCount, smallBytes := measure(1 << 10)
	largeCount, largeBytes := measure(60 << 10)
	t.Logf("1 KiB: %d allocations, %d bytes; 60 KiB: %d allocations, %d bytes", smallCount, smallBytes, largeCount, largeBytes)
	if largeCount > smallCount+3 || largeBytes > smallBytes+64<<10 {
		t.Errorf("1 KiB: %d allocations, %d bytes; 60 KiB: %d allocations, %d bytes", smallCount, smallBytes, largeCount, largeBytes)
	}
}
