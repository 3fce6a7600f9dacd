package proxy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"

	"github.com/weirhq/weir/dataplane/llmtest"
)

// counted is the value of the only series of a counter.
func counted(t *testing.T, h *harness, name string) float64 {
	t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name && len(family.Metric) == 1 {
			return family.Metric[0].Counter.GetValue()
		}
	}
	return 0
}

// counts waits for a counter: requests are counted after they are answered.
func counts(t *testing.T, h *harness, name string, want float64) {
	t.Helper()
	tooLate := time.Now().Add(10 * time.Second)
	for counted(t, h, name) != want {
		if time.Now().After(tooLate) {
			t.Fatalf("%s is %v, want %v", name, counted(t, h, name), want)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestNothingSecretIsLoggedOrRecorded plants canaries in everything that passes
// and looks for them in everything that stays.
func TestNothingSecretIsLoggedOrRecorded(t *testing.T) {
	h := newHarness(t)
	canary := "canary-in-the-prompt"
	body := strings.Replace(question, "how much water passed", canary, 1)
	h.mock.Script(llmtest.Fault{}, llmtest.Fault{Kind: llmtest.Cut, After: 2}, llmtest.Fault{Kind: llmtest.Status, Status: 500}, llmtest.Fault{Kind: llmtest.ErrorBody})
	h.post(goodKey, body+`}`)
	h.post(goodKey, body+`,"stream":true}`)
	h.post(goodKey, body+`}`, "X-Note", canary)
	h.post(goodKey, body+`}`)
	h.post(goodKey, `{"model":"`+canary+`"}`)
	h.post(goodKey, body)
	h.post("weir_unknown_canary", body+`}`)
	h.post(goodKey, strings.Replace(body, `"chat"`, `"dead"`, 1)+`}`)
	h.post(goodKey, strings.Replace(body, `"chat"`, `"elsewhere"`, 1)+`}`)
	if _, err := h.agent.Client().Get(h.agent.URL + "/v1/" + canary + "?key=" + goodKey); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		<-h.done
	}
	kept := h.log.String()
	for _, r := range h.recorder.started {
		kept += prototext.Format(r)
	}
	for _, r := range h.recorder.ended {
		kept += prototext.Format(r)
	}
	for _, r := range h.recorder.refused {
		kept += prototext.Format(r)
	}
	families, err := h.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		kept += family.String()
	}
	answer := llmtest.Answer(canary, 0, 20)
	for _, secret := range []string{canary, goodKey, "weir_unknown_canary", upstreamKey, answer, strings.Fields(answer)[0] + " " + strings.Fields(answer)[1], "Sorry about that"} {
		if at := strings.Index(kept, secret); at >= 0 {
			t.Errorf("%q is in %q", secret, kept[max(0, at-100):at+len(secret)])
		}
	}
	if strings.Count(kept, `"msg":"request"`) != 10 {
		t.Errorf("%d lines for 10 requests", strings.Count(kept, `"msg":"request"`))
	}
}

func TestWhatBreaksTheProtocolIsNotLogged(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			if request, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
				_, _ = io.Copy(io.Discard, request.Body)
			}
			_, _ = connection.Write([]byte("canary-answer\r\n\r\n"))
			_, _ = io.Copy(io.Discard, connection) // until the agent closes: a reset would hide the answer
			_ = connection.Close()
		}
	}()
	h := newHarness(t)
	h.holder.Store(h.policy("http://" + listener.Addr().String()))
	response, text := h.post(goodKey, question+`}`)
	wantError(t, response, text, 502, "upstream_unreachable")
	h.record()
	if kept := h.log.String(); strings.Contains(kept+text, "canary-answer") || !strings.Contains(kept, "upstream unreachable") {
		t.Errorf("logged %s", kept)
	}
}
