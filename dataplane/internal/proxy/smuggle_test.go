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

	"github.com/google/go-cmp/cmp"
)

const crlf = "\r\n"

// raw is a request to the agent as bytes: its first line, more lines of its header, and what
// follows the header.
func raw(line, rest string, header ...string) string {
	return strings.Join(append([]string{line, "Host: agent", "Authorization: Bearer " + goodKey}, header...), crlf) + crlf + crlf + rest
}

const post = "POST /v1/chat/completions HTTP/1.1"

// chunked is a body in chunks, each with an extension, and trailers.
func chunked(body, extension string, trailers ...string) string {
	return fmt.Sprintf("%x%s\r\n%s\r\n%x\r\n%s\r\n0\r\n%s\r\n", 5, extension, body[:5], len(body)-5, body[5:], strings.Join(append(trailers, ""), crlf))
}

// inject would be a header of its own upstream, and a request of its own, if any of these went through.
const inject = "X-Injected: 1"

// TestRequestsThatAreNoSingleRequest: whatever a caller writes on its connection, upstream gets
// one whole request with the body that the agent metered, or none.
func TestRequestsThatAreNoSingleRequest(t *testing.T) {
	body := question + `}`
	length := fmt.Sprintf("Content-Length: %d", len(body))
	behind := body + "GET /v1/models HTTP/1.1" + crlf + inject + crlf + crlf
	for name, test := range map[string]struct {
		sent   string
		status int
		passes bool
	}{
		"plain":                       {raw(post, body, length), 200, true},
		"chunked_and_a_length":        {raw(post, chunked(body, ""), "Content-Length: 4", "Transfer-Encoding: chunked"), 200, true},
		"chunked_and_a_longer_length": {raw(post, chunked(body, ""), "Content-Length: 4000", "Transfer-Encoding: chunked"), 200, true},
		"two_lengths":                 {raw(post, behind, length, "Content-Length: 4"), 400, false},
		"two_lengths_in_one":          {raw(post, behind, "Content-Length: 4, 5"), 400, false},
		"the_same_length_twice":       {raw(post, body, length, length), 200, true},
		"a_signed_length":             {raw(post, behind, "Content-Length: +4"), 400, false},
		"chunked_twice":               {raw(post, chunked(body, ""), "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 501, false},
		"chunked_and_more":            {raw(post, chunked(body, ""), "Transfer-Encoding: chunked, identity"), 501, false},
		"hardly_chunked":              {raw(post, chunked(body, ""), length, "Transfer-Encoding: xchunked"), 501, false},
		"chunked_behind_a_tab":        {raw(post, chunked(body, ""), length, "Transfer-Encoding: \vchunked"), 400, false},
		"chunked_by_http_1_0":         {raw("POST /v1/chat/completions HTTP/1.0", chunked(body, ""), "Transfer-Encoding: chunked"), 400, false},
		"http_1_0_kept_alive":         {raw("POST /v1/chat/completions HTTP/1.0", body, length, "Connection: keep-alive"), 200, true},
		"space_before_the_colon":      {raw(post, behind, "Content-Length : 4", length), 400, false},
		"name_with_a_line":            {raw(post, body, length, "X-A\rX-Injected: 1"), 400, false},
		"value_with_a_cr":             {raw(post, body, length, "X-A: b\r"+inject), 400, false},
		"value_with_a_nul":            {raw(post, body, length, "X-A: b\x00"), 400, false},
		"folded":                      {raw(post, body, length, "X-Custom: a"+crlf+" "+inject), 200, true},
		"no_host":                     {post + crlf + length + crlf + crlf + body, 400, false},
		"two_hosts":                   {raw(post, body, length, "Host: elsewhere.example"), 400, false},
		"two_protocols":               {raw("POST /v1/chat/completions HTTP/1.1 HTTP/1.1", body, length), 400, false},
		"a_later_protocol":            {raw("POST /v1/chat/completions HTTP/2.0", body, length), 505, false},
		"the_preface_of_http_2":       {raw("PRI * HTTP/2.0", body, length), 404, false},
		"a_line_in_the_path":          {raw("POST /v1/chat/completions%0d%0a"+inject+" HTTP/1.1", body, length), 400, false},
		"a_line_in_the_query":         {raw("POST /v1/chat/completions?a=b%0d%0aX-Injected:%201 HTTP/1.1", body, length), 200, true},
		"a_line_in_a_models_path":     {raw("POST /v1beta/models/chat%0d%0aX-Injected:%201:generateContent HTTP/1.1", body, length), 404, false},
		"a_line_in_the_metadata":      {raw(post, body, length, `X-Weir-Metadata: {"a":"b\r\nX-Injected: 1"}`), 400, false},
		"another_origin":              {raw("POST http://elsewhere.example/v1/chat/completions HTTP/1.1", body, length), 200, true},
		"another_origins_user":        {raw("POST http://u:p@elsewhere.example/v1/chat/completions HTTP/1.1", body, length), 200, true},
		"a_tunnel":                    {raw("CONNECT elsewhere.example:443 HTTP/1.1", body, length), 404, false},
		"extensions_of_chunks":        {raw(post, chunked(body, `;a="b";c`), "Transfer-Encoding: chunked"), 200, true},
		"a_line_in_an_extension":      {raw(post, chunked(body, ";a\nb"), "Transfer-Encoding: chunked"), 400, false},
		"a_chunk_without_end":         {raw(post, "fffffffffffffffff1"+crlf+body+crlf+"0"+crlf+crlf, "Transfer-Encoding: chunked"), 400, false},
		"a_negative_chunk":            {raw(post, "-5"+crlf+body+crlf+"0"+crlf+crlf, "Transfer-Encoding: chunked"), 400, false},
		"trailers":                    {raw(post, chunked(body, "", inject, "X-Weir-User: forged", "Authorization: Bearer x"), "Transfer-Encoding: chunked", "Trailer: X-Injected"), 200, true},
		"an_upgrade":                  {raw(post, body, length, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), 200, true},
		"headers_for_one_hop":         {raw(post, body, length, "Connection: X-Injected, Content-Type, Authorization, X-Weir-Request-Id", inject), 200, true},
		"a_megabyte_of_header":        {raw(post, body, length, "X-Custom: "+strings.Repeat("x", 2<<20)), 431, false},
		"a_megabyte_of_names":         {raw(post, body, append([]string{length}, strings.Split(strings.Repeat("X-Custom: x\n", 200_000), "\n")[:200_000]...)...), 431, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			statuses := h.converse(test.sent)
			if len(statuses) == 0 || statuses[0] != test.status {
				t.Errorf("answered %v, want %d", statuses, test.status)
			}
			sent := h.mock.Requests()
			if !test.passes {
				if len(sent) != 0 {
					t.Errorf("upstream got %d: %v %s", len(sent), sent[0].Header, sent[0].Body)
				}
				return
			}
			want := strings.Replace(body, `"chat"`, `"gpt-4o"`, 1)
			if len(sent) != 1 || sent[0].Path != "/v1/chat/completions" || string(sent[0].Body) != want {
				t.Fatalf("upstream got %d: %v", len(sent), sent)
			}
			for _, name := range []string{"X-Injected", "Upgrade", "Http2-Settings", "Trailer", "Te", "Connection", "X-Weir-User", "Transfer-Encoding"} {
				if got := sent[0].Header[name]; got != nil {
					t.Errorf("upstream got %s: %q", name, got)
				}
			}
			if diff := cmp.Diff([]string{"Bearer " + upstreamKey}, sent[0].Header["Authorization"]); diff != "" {
				t.Error(diff)
			}
			for ticket := range h.recorder.ended {
				if r := h.recorder.ended[ticket]; r.EndUser != "" {
					t.Errorf("recorded %v", r)
				}
			}
		})
	}
}

// converse writes on one connection and returns the statuses of all answers that come.
func (h *harness) converse(text string) (statuses []int) {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.agent.Listener.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(conn, text) // the agent may have enough before its end
	}()
	from := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(from, nil)
		if err != nil {
			break
		}
		statuses = append(statuses, response.StatusCode)
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			break
		}
		if len(statuses) == 1 {
			_ = conn.(*net.TCPConn).CloseWrite() // not before: the caller would have left
		}
	}
	conn.Close()
	<-written
	return statuses
}
