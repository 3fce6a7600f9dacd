package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What every answer says.
const (
	Model        = "gpt-4o-mini"
	Events       = 20 // of a stream that have text
	InputTokens  = 250
	OutputTokens = Events
	word         = " water"
)

// Text is what an answer says, streamed or not.
func Text() string { return strings.Repeat(word, Events) }

// Whole is the body of an answer that is not streamed.
func Whole() string {
	return fmt.Sprintf(`{"id":"chatcmpl-loadtest","object":"chat.completion","created":1700000000,"model":%q,"system_fingerprint":"fp_loadtest",`+
		`"choices":[{"index":0,"message":{"role":"assistant","content":%q,"refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":%s}`,
		Model, Text(), usage)
}

// Stream is the body of one that is.
func Stream() string { return strings.Join(events, "") }

var usage = fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":0},`+
	`"completion_tokens_details":{"reasoning_tokens":0}}`, InputTokens, OutputTokens, InputTokens+OutputTokens)

var events = func() (all []string) {
	event := func(choices, usage string) string {
		return fmt.Sprintf(`data: {"id":"chatcmpl-loadtest","object":"chat.completion.chunk","created":1700000000,"model":%q,"system_fingerprint":"fp_loadtest",`+
			`"choices":[%s],"usage":%s}`+"\n\n", Model, choices, usage)
	}
	for i := range Events {
		delta := fmt.Sprintf(`{"content":%q}`, word)
		if i == 0 {
			delta = fmt.Sprintf(`{"role":"assistant","content":%q}`, word)
		}
		all = append(all, event(`{"index":0,"delta":`+delta+`,"logprobs":null,"finish_reason":null}`, "null"))
	}
	all = append(all, event(`{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}`, "null"), event("", usage))
	return append(all, "data: [DONE]\n\n")
}()

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"

// wire are the writes of a stream: the head with the first event, then each, and what ends
// it with the last.
var wire = func() (writes [][]byte) {
	for i, e := range events {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", len(e), e)
		if i == 0 {
			chunk = streamHead + chunk
		}
		if i == len(events)-1 {
			chunk += "0\r\n\r\n"
		}
		writes = append(writes, []byte(chunk))
	}
	return writes
}()

func reply(status, body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

var (
	whole    = reply("200 OK", Whole())
	models   = reply("200 OK", `{"object":"list","data":[{"id":"`+Model+`","object":"model","created":1700000000,"owned_by":"loadtest"}]}`)
	broken   = reply("500 Internal Server Error", `{"error":{"message":"a fault of the load test","type":"server_error","param":null,"code":null}}`)
	refused  = reply("401 Unauthorized", `{"error":{"message":"want the key of the upstream","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`)
	notFound = reply("404 Not Found", `{"error":{"message":"no such path","type":"invalid_request_error","param":null,"code":null}}`)
	cutShort = whole[:len(whole)-20]
)

func (c *conn) answer(r request) error {
	switch {
	case r.path == "/loadtest/mode" && r.method == "PUT":
		return c.set()
	case r.path == "/loadtest/served":
		return c.write(reply("200 OK", fmt.Sprint(c.server.Served())))
	case r.method == "GET" && strings.HasSuffix(r.path, "/models"):
		return c.write(models)
	case r.method != "POST" || !strings.HasSuffix(r.path, "/chat/completions"):
		return c.write(notFound)
	case !r.authorized:
		return c.write(refused)
	}
	n, mode := c.server.served.Add(1), c.server.mode.Load()
	if mode.FaultEvery > 0 && n%mode.FaultEvery == 0 {
		return c.fault()
	}
	if streamed(c.body) {
		return c.stream(mode)
	}
	return c.write(whole)
}

func (c *conn) write(b []byte) error {
	_, err := c.net.Write(b)
	return err
}

func (c *conn) set() error {
	var m Mode
	if err := json.Unmarshal(c.body, &m); err != nil {
		return c.write(reply("400 Bad Request", "{}"))
	}
	c.server.Set(m)
	return c.write(reply("200 OK", "{}"))
}

func (c *conn) stream(mode *Mode) error {
	if mode.Burst > 1 {
		for burst := range slices.Chunk(wire, mode.Burst) {
			c.out = c.out[:0]
			for _, event := range burst {
				c.out = append(c.out, event...)
			}
			if err := c.write(c.out); err != nil {
				return err
			}
		}
		return nil
	}
	last := len(wire) - 1
	for i, event := range wire {
		if i > 0 && mode.Every > 0 && c.pause(mode.Every) != nil {
			return errEnded
		}
		if err := c.write(event); err != nil {
			return err
		}
		for mode.Hold && i == 1 && c.server.mode.Load() == mode { // the second event, again and again
			if c.pause(mode.Every) != nil {
				return errEnded
			}
			if err := c.write(event); err != nil {
				return err
			}
		}
		if i == last {
			return nil
		}
	}
	return nil
}

var (
	errEnded = errors.New("the mock ends")
	errCut   = errors.New("cut by a fault")
)

func (c *conn) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.server.closed:
		return errEnded
	}
}

// stall is how long an answer is late that is one.
const stall = 2 * time.Second

// fault gives one of the faults in turn: a status, a body that ends too soon, an answer
// that is late.
func (c *conn) fault() error {
	switch c.server.faults.Add(1) % 3 {
	case 0:
		return c.write(broken)
	case 1:
		if streamed(c.body) {
			_ = c.write(wire[0])
		} else {
			_ = c.write(cutShort)
		}
		return errCut
	}
	if err := c.pause(stall); err != nil {
		return err
	}
	if streamed(c.body) {
		return c.stream(&Mode{})
	}
	return c.write(whole)
}
