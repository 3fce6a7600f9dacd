package load

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// answering is a connection on which these bytes come, one at a time.
func answering(text string) *Conn {
	here, there := net.Pipe()
	_ = there.Close()
	return &Conn{net: here, r: bufio.NewReader(iotest.OneByteReader(strings.NewReader(text)))}
}

func ask(c *Conn) (a Answer, body string, err error) {
	a, length, err := c.Head()
	if err != nil {
		return a, "", err
	}
	var into bytes.Buffer
	err = c.read(&a, length, &into)
	return a, into.String(), err
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		status int
		body   string
		fails  string
		closes bool
	}{
		"of_known_length":       {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwater", 200, "water", "", false},
		"empty":                 {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", "", false},
		"no_content":            {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", "", false},
		"in_chunks":             {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwat\r\n2;x=y\r\ner\r\n0\r\n\r\n", 200, "water", "", false},
		"with_trailers":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwater\r\n0\r\nUsage: 1\r\n\r\n", 200, "water", "", false},
		"until_the_end":         {"HTTP/1.1 500 Oh\r\n\r\nwater", 500, "water", "", true},
		"that_says_it_closes":   {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: Close\r\n\r\nwater", 200, "water", "", true},
		"after_a_preliminary":   {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwater", 200, "water", "", false},
		"cut_in_its_body":       {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nwater", 200, "water", "broke after 5 bytes", false},
		"cut_before_its_body":   {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 200, "", "read the body", false},
		"cut_in_a_chunk":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nwater", 200, "water", "broke after 5 bytes", false},
		"cut_between_chunks":    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwater\r\n", 200, "water", "broke after 5 bytes", false},
		"cut_in_its_head":       {"HTTP/1.1 200 OK\r\nContent-", 0, "", "read the answer's head", false},
		"nothing":               {"", 0, "", "read the answer", false},
		"of_something_else":     {"SSH-2.0-OpenSSH_9.6\r\n", 0, "", "no answer of HTTP/1.1", false},
		"with_a_broken_length":  {"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nwater", 0, "", "content-length", false},
		"with_a_broken_chunk":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\n", 200, "", "chunk size", false},
		"of_negative_length":    {"HTTP/1.1 200 OK\r\nContent-Length: -9\r\n\r\nwater", 0, "", "content-length", false},
		"with_a_negative_chunk": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nwater\r\n", 200, "", "chunk size", false},
	} {
		t.Run(name, func(t *testing.T) {
			a, body, err := ask(answering(c.text))
			if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("error %v, want %q", err, c.fails)
			}
			if body != c.body || err == nil && a.Status != c.status || int64(len(body)) != a.Body || a.Closing != c.closes {
				t.Errorf("%+v, body %q", a, body)
			}
			if body != "" && a.First.IsZero() {
				t.Error("nobody noted when the body began")
			}
		})
	}
}

// Whatever comes, reading it ends.
func FuzzAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwat\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwater")
	f.Fuzz(func(t *testing.T, text string) {
		a, body, err := ask(answering(text))
		if err == nil && (a.Body != int64(len(body)) || len(body) > len(text)) {
			t.Errorf("%+v of %q, body %q", a, text, body)
		}
	})
}

func TestRequest(t *testing.T) {
	r := NewRequest("127.0.0.1:1", "/v1/x", "k", []byte(`{}`))
	want := "POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUser-Agent: weir-loadtest\r\n" +
		"Content-Type: application/json\r\nContent-Length: 2\r\nAuthorization: Bearer k\r\n\r\n{}"
	if string(r.Bytes) != want {
		t.Errorf("%q", r.Bytes)
	}
	if _, err := Dial("127.0.0.1:1", time.Second); err == nil {
		t.Error("somebody answers on port 1")
	}
}
