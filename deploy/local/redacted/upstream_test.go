package redacted_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// upstream is every provider: what it does is its model's name, and all that it says has
// canaries in it.
type upstream struct {
	said map[string]string // by what
	// asked has the model of each request.
	asked chan string
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var request struct {
		Model  string
		Stream bool
	}
	_ = json.Unmarshal(body, &request)
	model := request.Model
	if _, named, ok := strings.Cut(r.URL.Path, "/models/"); ok {
		model, _, _ = strings.Cut(named, ":")
	}
	u.asked <- model
	w.Header().Set("X-Request-Id", u.said["upstream_header"])
	w.Header().Set("Content-Type", "application/json")
	switch model {
	case "slow":
		select {
		case <-time.After(2 * time.Second):
		case <-r.Context().Done():
			return
		}
	case "fails":
		w.WriteHeader(http.StatusServiceUnavailable)
	case "refuses":
		w.WriteHeader(http.StatusBadRequest)
	case "redirects":
		w.Header().Set("Location", "https://elsewhere.example/"+u.said["redirect"])
		w.WriteHeader(http.StatusFound)
		return
	case "babbles":
		fmt.Fprint(w, `{"choices": what is `+u.said["malformed"])
		return
	}
	switch {
	case model == "fails" || model == "refuses":
		fmt.Fprintf(w, `{"type":"error","error":{"type":%[1]q,"code":%[1]q,"param":%[1]q,"message":"your key %[1]s: you said %[1]s"}}`, u.said["error"])
	case strings.HasSuffix(r.URL.Path, "/messages"):
		u.anthropic(w, request.Stream)
	case strings.Contains(r.URL.Path, "/models/"):
		fmt.Fprintf(w, `{"candidates":[{"content":{"role":"model","parts":[{"text":%q}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}}`, u.said["answer"])
	default:
		u.openAI(w, request.Stream, model == "breaks")
	}
}

func (u *upstream) openAI(w http.ResponseWriter, stream, breaks bool) {
	const usage = `"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}`
	call := fmt.Sprintf(`[{"index":0,"id":"call_1","type":"function","function":{"name":"look_up","arguments":%q}}]`, `{"who":"`+u.said["tool_answer"]+`"}`)
	if !stream {
		fmt.Fprintf(w, `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":%q,"tool_calls":%s},"finish_reason":"stop"}],%s}`, u.said["answer"], call, usage)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, delta := range []string{fmt.Sprintf(`"content":%q`, u.said["streamed"]), `"tool_calls":` + call} {
		fmt.Fprintf(w, `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{%s},"finish_reason":null}]}`+"\n\n", delta)
		_ = http.NewResponseController(w).Flush()
	}
	if breaks {
		panic(http.ErrAbortHandler)
	}
	fmt.Fprint(w, `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],`+usage+"}\n\ndata: [DONE]\n\n")
}

func (u *upstream) anthropic(w http.ResponseWriter, stream bool) {
	if !stream {
		fmt.Fprintf(w, `{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":%q},{"type":"tool_use","id":"t","name":"look_up","input":{"who":%q}}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5}}`, u.said["answer"], u.said["tool_answer"])
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, event := range []string{
		`{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":10,"output_tokens":1}}}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		fmt.Sprintf(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%q}}`, u.said["streamed"]),
		`{"type":"content_block_stop","index":0}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}`,
		`{"type":"message_stop"}`,
	} {
		var kind struct{ Type string }
		_ = json.Unmarshal([]byte(event), &kind)
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", kind.Type, event)
		_ = http.NewResponseController(w).Flush()
	}
}
