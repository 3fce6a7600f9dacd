package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/loadtest/gateway/load"
	"github.com/weirhq/weir/loadtest/gateway/report"
	"github.com/weirhq/weir/loadtest/gateway/upstream"
)

func config() Config {
	return Config{Payload: []int{1}, Rounds: 3, Slice: 20 * time.Millisecond, Connections: 2, Streams: 2, OpenStreams: 20, HoldFor: 20 * time.Millisecond}
}

// started is a bench on a mock in this process, with only the way to it as a target.
func started(t *testing.T) *bench {
	t.Helper()
	s, err := upstream.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	c := config()
	c.Upstream = s.Address()
	return &bench{
		config: c, report: &report.Report{}, tell: t.Logf, between: func() error { return nil }, capacity: map[string]float64{},
		targets: []*target{{name: direct, address: s.Address(), path: "/v1/chat/completions", key: upstream.Key, model: upstream.Model}},
	}
}

func TestTurnsAlternate(t *testing.T) {
	b := started(t)
	var seen []string
	targets := []*target{{name: direct}, {name: bare}, {name: weir}}
	samples, err := b.interleave(t.Context(), "nothing", targets, func(_ context.Context, t *target, round int) (*load.Sample, error) {
		seen = append(seen, fmt.Sprint(round, t.name))
		return load.NewSample(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"0direct", "0bare", "0weir", "1weir", "1bare", "1direct", "2direct", "2bare", "2weir"}
	if !slices.Equal(seen, want) {
		t.Errorf("%v, want %v", seen, want)
	}
	for _, target := range targets {
		if len(samples[target.name]) != 3 {
			t.Errorf("%s had %d turns", target.name, len(samples[target.name]))
		}
	}
}

func TestTurnsNoticeACacheAndAnEnd(t *testing.T) {
	b := started(t)
	_, err := b.interleave(t.Context(), "throughput", b.targets, func(context.Context, *target, int) (*load.Sample, error) {
		s := load.NewSample()
		s.Requests = 5
		return s, nil
	})
	if err == nil || !strings.Contains(err.Error(), "of 5 answers only 0 came from the upstream") {
		t.Errorf("error %v", err)
	}
	b.between = func() error { return errors.New("bare ended (exit status 2)") }
	_, err = b.interleave(t.Context(), "throughput", b.targets, func(context.Context, *target, int) (*load.Sample, error) { return load.NewSample(), nil })
	if err == nil || !strings.Contains(err.Error(), "throughput, target direct: bare ended") {
		t.Errorf("error %v", err)
	}
}

// fake is a gateway that answers as the test says.
func fake(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	say := func(status int, whole, stream string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(status)
			if strings.Contains(string(body), `"stream":true`) {
				whole = stream
			}
			_, _ = io.WriteString(w, whole)
		}
	}
	b := started(t)
	to, err := url.Parse("http://" + b.config.Upstream)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"passes":          {reverseProxy(to).ServeHTTP, ""},
		"wants_a_key":     {say(401, `{"error":"no key"}`, ""), `answers 401: {"error":"no key"}: give its key (--key peer=…)`},
		"is_broken":       {say(500, "oh no", ""), "asked with 1 KB: answers 500: oh no"},
		"says_other":      {say(200, strings.Replace(upstream.Whole(), "water", "wine", 1), ""), "answers other than the upstream did"},
		"counts_other":    {say(200, strings.Replace(upstream.Whole(), ":250,", ":251,", 1), ""), "answers other than the upstream did"},
		"says_nothing":    {say(200, "<html>", ""), "does not answer as a chat completion: <html>"},
		"does_not_stream": {say(200, upstream.Whole(), upstream.Whole()), "asked with 1 KB, stream: does not stream to [DONE]"},
		"ends_too_soon":   {say(200, upstream.Whole(), strings.TrimSuffix(upstream.Stream(), "data: [DONE]\n\n")), "does not stream to [DONE]"},
		"has_a_cache":     {say(200, upstream.Whole(), upstream.Stream()), "of 2 requests 0 came to the upstream"},
	} {
		t.Run(name, func(t *testing.T) {
			b.targets = []*target{b.targets[0], {name: "peer", address: fake(t, c.answer), path: "/v1/chat/completions", key: upstream.Key, model: upstream.Model}}
			b.report = &report.Report{}
			err := b.check(t.Context())
			if c.want == "" {
				if err != nil || len(b.report.Targets) != 2 || !b.report.Targets[1].SameBytes {
					t.Fatalf("%v, %+v", err, b.report.Targets)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "target peer (http://127.0.0.1:") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	t.Run("all_at_once", func(t *testing.T) {
		b.targets = []*target{{name: "one", address: "127.0.0.1:1"}, {name: "two", address: "127.0.0.1:1"}}
		err := b.check(t.Context())
		if err == nil || strings.Count(err.Error(), "nobody answers") != 2 || !strings.Contains(err.Error(), "start it first, or leave it out") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("in_other_bytes", func(t *testing.T) {
		if err := said([]byte(strings.ReplaceAll(upstream.Whole(), ",", " , "))); err != nil {
			t.Error(err)
		}
		if err := streamed([]byte(strings.ReplaceAll(upstream.Stream(), "data: ", "data:"))); err != nil {
			t.Error(err)
		}
	})
}

// Weir that answers and does not record is not what is to be measured.
func TestCheckWantsUsage(t *testing.T) {
	private := "http://" + fake(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# TYPE weir_agent_usage_records_sent_total counter\nweir_agent_usage_records_sent_total 1.2e+01\n")
	})
	one := &target{name: weir, private: private}
	if n, err := one.recorded(t.Context()); n != 12 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if err := one.awaitRecords(t.Context(), 10, 2); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := one.awaitRecords(ctx, 12, 6); err == nil || !strings.Contains(err.Error(), "of 6 requests were recorded") {
		t.Errorf("error %v", err)
	}
}

func TestRatiosAreOfRounds(t *testing.T) {
	if got := ratio([]float64{2, 30, 4, 9}, []float64{1, 10, 2, 0}); got != 2 {
		t.Errorf("%v, want the median of 2, 3 and 2", got)
	}
	if got := ratio([]float64{1}, []float64{-1}); got != 0 {
		t.Errorf("%v of nothing to divide by", got)
	}
}

func TestFlatness(t *testing.T) {
	series := func(mb func(second float64) float64) (all []report.Point) {
		for s := range 600 {
			all = append(all, report.Point{Seconds: float64(s), MB: mb(float64(s))})
		}
		return all
	}
	for name, c := range map[string]struct {
		mb    func(float64) float64
		slope float64
		says  string
	}{
		"still":              {func(float64) float64 { return 100 }, 0, "memory flat: +0.0 MB"},
		"grows_then_is_flat": {func(s float64) float64 { return 50 + min(s, 299)/10 }, 0, "memory flat"},
		"breathes":           {func(s float64) float64 { return 100 + float64(int(s)%10) }, 0, "memory flat"},
		"grows":              {func(s float64) float64 { return 100 + s/10 }, 360, "memory GROWS: +29.9 MB over the last 299 s, at 145 MB"},
		"shrinks":            {func(s float64) float64 { return 100 - s/10 }, -360, "memory flat"},
	} {
		t.Run(name, func(t *testing.T) {
			slope, says := flatness(series(c.mb))
			if !strings.Contains(says, c.says) || max(slope-c.slope, c.slope-slope) > 5 {
				t.Errorf("%v %s", slope, says)
			}
		})
	}
	if _, says := flatness(nil); !strings.Contains(says, "too short") {
		t.Error(says)
	}
	if _, says := flatness(series(func(s float64) float64 { return s })[:200]); !strings.Contains(says, "memory needs a soak of 5m0s to be judged: +99") {
		t.Error(says)
	}
}

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		cores []int
		want  placement
	}{
		{[]int{3}, placement{[]int{3}, []int{3}, []int{3}}},
		{[]int{0, 1}, placement{[]int{0}, []int{1}, []int{1}}},
		{[]int{2, 3, 5, 7}, placement{[]int{2}, []int{5, 7}, []int{3}}},
	} {
		if diff := cmp.Diff(c.want, place(c.cores), cmp.AllowUnexported(placement{})); diff != "" {
			t.Error(diff)
		}
	}
}
