package proxy_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
)

// series are all that the registry has, by name and labels.
func (h *harness) series() map[string]*dto.Metric {
	h.t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	all := map[string]*dto.Metric{}
	for _, family := range families {
		for _, m := range family.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			slices.Sort(labels)
			all[family.GetName()+"{"+strings.Join(labels, ",")+"}"] = m
		}
	}
	return all
}

const genAIChat = "gen_ai_operation_name=chat,gen_ai_provider_name=openai,gen_ai_request_model=gpt-4o"

func TestAttemptsAreMeasured(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(llmtest.Fault{}, llmtest.Fault{TokenDelay: time.Millisecond}, llmtest.Fault{Kind: llmtest.Status, Status: 429}, llmtest.Fault{Kind: llmtest.Cut, After: 2})
	h.post(goodKey, question+`}`)
	h.post(goodKey, question+`,"stream":true}`)
	h.post(goodKey, question+`}`)
	h.post(goodKey, question+`,"stream":true}`)
	h.post(goodKey, strings.Replace(question, `"chat"`, `"dead"`, 1)+`}`)
	for range 5 {
		<-h.done
	}
	all := h.series()
	for name, want := range map[string]uint64{
		"gen_ai_client_operation_duration_seconds{error_type=," + genAIChat + ",weir_provider=mock}":                     2,
		"gen_ai_client_operation_duration_seconds{error_type=429," + genAIChat + ",weir_provider=mock}":                  1,
		"gen_ai_client_operation_duration_seconds{error_type=upstream_broke," + genAIChat + ",weir_provider=mock}":       1,
		"gen_ai_client_operation_duration_seconds{error_type=upstream_unreachable," + genAIChat + ",weir_provider=dead}": 1,
		"gen_ai_server_time_to_first_token_seconds{" + genAIChat + ",weir_provider=mock}":                                3,
		"gen_ai_server_time_per_output_token_seconds{" + genAIChat + ",weir_provider=mock}":                              1,
		"weir_agent_overhead_seconds{surface=chat}":                                                                      5,
		"weir_agent_stage_seconds{stage=authenticate}":                                                                   5,
		"weir_agent_stage_seconds{stage=parse}":                                                                          5,
		"weir_agent_stage_seconds{stage=spool}":                                                                          5,
		"weir_agent_stage_seconds{stage=write}":                                                                          5,
	} {
		if got := all[name].GetHistogram().GetSampleCount(); got != want {
			t.Errorf("%s has %d, want %d", name, got, want)
		}
	}
	for kind, tokens := range map[string]float64{"input": 2 * 13, "output": 2 * 20} {
		got := all["gen_ai_client_token_usage{gen_ai_operation_name=chat,gen_ai_provider_name=openai,gen_ai_request_model=gpt-4o,gen_ai_token_type="+kind+",weir_provider=mock}"].GetHistogram()
		if got.GetSampleCount() != 2 || kind == "output" && got.GetSampleSum() != tokens || got.GetSampleSum() <= 0 {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if got := all["weir_agent_bytes_total{direction=received,surface=chat}"].GetCounter().GetValue(); got < float64(4*len(question)) {
		t.Errorf("%v bytes received", got)
	}
	if got := all["weir_agent_bytes_total{direction=written,surface=chat}"].GetCounter().GetValue(); got < 1000 {
		t.Errorf("%v bytes written", got)
	}
	fresh, reused := all["weir_agent_upstream_connections_total{kind=new}"].GetCounter().GetValue(), all["weir_agent_upstream_connections_total{kind=reused}"].GetCounter().GetValue()
	if fresh < 1 || reused < 2 || fresh+reused != 4 {
		t.Errorf("%v new connections, %v reused", fresh, reused)
	}
}

func TestWhatIsUnderWayIsGauged(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(llmtest.Fault{Kind: llmtest.Stall, After: 2})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.agent.URL+"/v1/chat/completions", strings.NewReader(question+`,"stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadFull(response.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	all := h.series()
	if all["weir_agent_requests_in_flight{}"].GetGauge().GetValue() != 1 || all["weir_agent_streams_open{}"].GetGauge().GetValue() != 1 {
		t.Error("a stream under way is not counted")
	}
	response.Body.Close()
	<-h.done
	all = h.series()
	if all["weir_agent_requests_in_flight{}"].GetGauge().GetValue() != 0 || all["weir_agent_streams_open{}"].GetGauge().GetValue() != 0 {
		t.Error("a stream that is over is counted")
	}
}

// What callers write makes no series: models, paths, methods, keys.
func TestCallersMakeNoSeries(t *testing.T) {
	h := newHarness(t, func(c *proxy.Config) {
		c.Transport, c.Recorder, c.Logger = canned{answer: []byte(`{"choices":[]}`)}, forgetful{}, slog.New(slog.DiscardHandler)
	})
	ask := func(i int) {
		for _, one := range []struct{ method, path, key, body string }{
			{http.MethodPost, "/v1/chat/completions", goodKey, question + `}`},
			{http.MethodPost, "/v1/chat/completions", goodKey, fmt.Sprintf(`{"model":"m-%d","messages":[]}`, i)},
			{http.MethodPost, fmt.Sprintf("/v1/p-%d", i), goodKey, question + `}`},
			{http.MethodPost, fmt.Sprintf("/v1beta/models/m-%d:generateContent", i), goodKey, `{"contents":[]}`},
			{http.MethodPost, "/v1/messages", fmt.Sprintf("weir_k-%d", i), question + `}`},
			{fmt.Sprintf("M%d", i), "/v1/embeddings", goodKey, question + `}`},
		} {
			request := httptest.NewRequest(one.method, one.path, strings.NewReader(one.body))
			request.Header.Set("Authorization", "Bearer "+one.key)
			h.handler.ServeHTTP(discard{http.Header{}}, request)
		}
	}
	for i := range 100 { // until refusals are too many to be recorded, which is counted
		ask(-i)
	}
	before := len(h.series())
	for i := range 10_000 {
		ask(i + 1)
	}
	if after := len(h.series()); after != before {
		t.Errorf("%d series became %d", before, after)
	}
}

func TestWhichRequestsAreLogged(t *testing.T) {
	for which, want := range map[proxy.AccessLog]int{"": 2, proxy.LogAll: 2, proxy.LogFailed: 1, proxy.LogNone: 0} {
		t.Run(string(which), func(t *testing.T) {
			h := newHarness(t, func(c *proxy.Config) { c.AccessLog = which })
			h.post(goodKey, question+`}`)
			h.post(goodKey, `{"model":"nobody-knows"}`)
			<-h.done
			<-h.done
			if n := strings.Count(h.log.String(), `"msg":"request"`); n != want {
				t.Errorf("%d lines, want %d", n, want)
			}
		})
	}
}
