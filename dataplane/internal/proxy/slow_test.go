package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	patience = 100 * time.Millisecond
	hugeSize = 10 << 20 // more than the sockets between hold
)

func impatient(c *proxy.Config) { c.BodyTimeout, c.WriteTimeout = patience, patience }

// connect opens a connection to the agent and writes to it.
func (h *harness) connect(text string) net.Conn {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.agent.Listener.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(256 << 10) // else it takes megabytes unread
	if _, err := io.WriteString(conn, text); err != nil {
		h.t.Fatal(err)
	}
	return conn
}

func head(key string, length int) string {
	return fmt.Sprintf("POST /v1/chat/completions HTTP/1.1\r\nHost: agent\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", key, length)
}

func TestABodyThatDoesNotCome(t *testing.T) {
	for name, test := range map[string]struct {
		key    string
		drip   bool
		status int
		code   string
	}{
		"silence":               {goodKey, false, 408, "body_timeout"},
		"a_byte_now_and_then":   {goodKey, true, 408, "body_timeout"},
		"silence_without_a_key": {"weir_nobody", false, 401, "key_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, impatient)
			conn := h.connect(head(test.key, 60<<10) + `{"model":`)
			if test.drip {
				go func() {
					for {
						if _, err := io.WriteString(conn, " "); err != nil {
							return
						}
						time.Sleep(patience / 10)
					}
				}()
			}
			_ = conn.SetReadDeadline(time.Now().Add(20 * patience))
			from := bufio.NewReader(conn)
			response, err := http.ReadResponse(from, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(response.Body)
			wantError(t, response, string(text), test.status, test.code)
			<-h.done
			if _, err := from.ReadByte(); err == nil {
				t.Error("the connection goes on")
			}
			if recorded := len(h.recorder.refused); recorded != map[int]int{408: 1, 401: 0}[test.status] {
				t.Errorf("%d records", recorded)
			}
		})
	}
}

// TestTheCallersPatienceIsItsOwn: the bounds are on the caller's part, not on the
// upstream's, nor on what the next request of a connection finds.
func TestTheCallersPatienceIsItsOwn(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{
		"a_late_answer": {Delay: 3 * patience},
		"a_long_stream": {TokenDelay: patience / 5},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, impatient)
			for range 2 {
				h.mock.Script(fault)
				response, text := h.post(goodKey, question+`,"stream":true}`)
				if response.StatusCode != 200 || !strings.HasSuffix(text, "data: [DONE]\n\n") {
					t.Errorf("%d %s", response.StatusCode, text)
				}
				<-h.done
				time.Sleep(2 * patience)
			}
			for _, ended := range h.recorder.ended {
				if ended.Outcome != usagev1.Outcome_OUTCOME_OK {
					t.Errorf("recorded %v", ended)
				}
			}
		})
	}
}

// TestACallerThatTakesNothing: the upstream is let go, and so is the connection.
func TestACallerThatTakesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		body    string
		outcome usagev1.Outcome
	}{
		"stream": {question + `,"stream":true}`, usagev1.Outcome_OUTCOME_CLIENT_CLOSED},
		"whole":  {question + `}`, usagev1.Outcome_OUTCOME_OK}, // the upstream's answer is here
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, impatient)
			h.mock.Script(llmtest.Fault{Kind: llmtest.Huge, After: 1, Size: hugeSize})
			h.connect(head(goodKey, len(test.body)) + test.body)
			_, ended := h.record()
			if ended.Outcome != test.outcome {
				t.Errorf("recorded %v", ended)
			}
			h.upstream.Close() // waits for the mock's handler: it has left, too
		})
	}
}

// TestASlowCallerGetsItAll: progress is what counts, not the whole time. The caller
// never pauses for long, but takes a while for a third of what the kernel holds.
func TestASlowCallerGetsItAll(t *testing.T) {
	const timeout, size = 4 * patience, 6 << 20
	h := newHarness(t, func(c *proxy.Config) { c.WriteTimeout = timeout })
	h.mock.Script(llmtest.Fault{Kind: llmtest.Huge, Size: size})
	body := question + `}`
	conn := h.connect(head(goodKey, len(body)) + body)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	begun, got := time.Now(), int64(0)
	for err == nil {
		var n int64
		n, err = io.CopyN(io.Discard, response.Body, 16<<10)
		got += n
		time.Sleep(patience / 10)
	}
	if got < size || time.Since(begun) < 2*timeout {
		t.Errorf("%d bytes in %v: %v", got, time.Since(begun), err)
	}
}
