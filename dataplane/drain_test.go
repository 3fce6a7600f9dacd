package dataplane

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// stalling answers streams with one event, and then nothing.
func stalling(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"choices":[{"index":0,"delta":{"content":"water"}}]}`+"\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return server
}

func (r running) stream(t *testing.T) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.applications+"/v1/chat/completions",
		strings.NewReader(`{"model":"chat","stream":true,"messages":[{"role":"user","content":"how much water passed"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// Streams that last longer than the drain end with an error event, are counted in the log,
// recorded, and said to be left where nobody takes usage.
func TestDrainCutsWhatIsLeft(t *testing.T) {
	upstream := stalling(t)
	t.Setenv("WEIR_SECRET_TEST", "secret")
	dir := t.TempDir()
	seed(t, dir, provider(upstream.URL))
	agent, stop := runUntil(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: dir,
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{upstream.URL},
		DrainDelay: 50 * time.Millisecond, DrainTimeout: 50 * time.Millisecond, DeliveryTimeout: 100 * time.Millisecond})
	var bodies []*bufio.Reader
	for range 2 {
		body := bufio.NewReader(agent.stream(t).Body)
		if _, err := body.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, body)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for _, body := range bodies {
		if text, err := io.ReadAll(body); err != nil || !strings.Contains(string(text), `"code":"agent_stopping"`) {
			t.Errorf("%v: %s", err, text)
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		`"msg":"requests in flight are cut","count":2`, `"outcome":"interrupted"`,
		`"msg":"usage is left in the state folder: keep it until an agent that was started with it has delivered","records":2,"not_sent":2`,
		`not all of it was confirmed within 100ms`, `the control plane was not told of its end`, `"error":"the agent stops"`,
	} {
		if !strings.Contains(agent.log.String(), want) {
			t.Errorf("the log has no %s:\n%s", want, agent.log)
		}
	}
}

// A caller that takes nothing does not keep the agent.
func TestDrainEndsWithoutItsCallers(t *testing.T) {
	began := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		event := []byte(`data: {"choices":[{"index":0,"delta":{"content":"` + strings.Repeat("water ", 10000) + `"}}]}` + "\n\n")
		close(began)
		for {
			if _, err := w.Write(event); err != nil {
				return
			}
		}
	}))
	t.Cleanup(upstream.Close)
	t.Setenv("WEIR_SECRET_TEST", "secret")
	dir := t.TempDir()
	seed(t, dir, provider(upstream.URL))
	agent, stop := runUntil(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: dir,
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{upstream.URL}})
	agent.stream(t) // and never reads
	<-began
	if err := stop(); err != nil {
		t.Error(err)
	}
	if log := agent.log.String(); !strings.Contains(log, `"records":1`) || !strings.Contains(log, `"outcome":"interrupted"`) {
		t.Errorf("it is not recorded:\n%s", log)
	}
}

// A stream that began before the drain did not say that its connection ends: the request
// that follows on it is answered, and says so. Nobody connects any more then.
func TestDrainAnswersWhatFollowsAStream(t *testing.T) {
	end := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"choices":[{"index":0,"delta":{"content":"water"}}]}`+"\n\n")
		_ = http.NewResponseController(w).Flush()
		<-end
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}))
	t.Cleanup(upstream.Close)
	t.Setenv("WEIR_SECRET_TEST", "secret")
	dir := t.TempDir()
	seed(t, dir, provider(upstream.URL))
	agent, stop := runUntil(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: dir,
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{upstream.URL},
		DrainDelay: 500 * time.Millisecond, DrainTimeout: time.Minute})
	address := strings.TrimPrefix(agent.applications, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	from := bufio.NewReader(conn)
	ask := func() *http.Response {
		body := `{"model":"chat","stream":true,"messages":[{"role":"user","content":"how much water passed"}]}`
		fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: weir\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", goodKey, len(body), body)
		response, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	first := ask()
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for { // until nobody accepts: a resetting or refusing listener is gone
		again, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		again.Close()
		time.Sleep(5 * time.Millisecond)
	}
	close(end)
	if text, err := io.ReadAll(first.Body); err != nil || !strings.HasSuffix(string(text), "[DONE]\n\n") || first.Close {
		t.Fatalf("%v: %s", err, text)
	}
	time.Sleep(20 * time.Millisecond) // on its way
	second := ask()
	if text, err := io.ReadAll(second.Body); err != nil || !strings.HasSuffix(string(text), "[DONE]\n\n") || !second.Close {
		t.Errorf("%v: %s, close %t", err, text, second.Close)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
