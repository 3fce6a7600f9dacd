package redacted_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// secrets makes a canary of everything that callers, providers and admins say. Those that go
// into headers and URLs are of ASCII.
func (w *world) secrets() {
	for i, what := range []string{
		"prompt", "system", "tool_request", "tool_answer", "image", "end_user_in_body", "answer", "streamed", "error", "malformed",
		"bad_body", "multipart",
	} {
		address := fmt.Sprintf(`%08x-%02d@example.org`, rand.Uint32(), i)
		w.canaries.add(what, address) // which no quoting changes
		w.canaries.add(what, `Ada "Lövelace" <`+address+">")
	}
	for i, what := range []string{"upstream_header", "redirect", "tracestate"} {
		w.canaries.add(what, fmt.Sprintf(`word-%08x-%02d`, rand.Uint32(), i))
	}
	for i, what := range []string{
		"user", "run", "label_value", "label_long", "label_name_value", "unknown_route", "unknown_route_header", "query", "path", "header", "user_agent", "cookie",
		"idempotency", "baggage", "unknown_key", "credential", "sealed_credential", "webhook", "oidc_client_secret",
	} {
		w.canaries.add(what, fmt.Sprintf("c%08x.%02d+x@example.org", rand.Uint32(), i))
	}
}

// said are headers of each request.
func (w *world) said() map[string]string {
	c := w.canaries.texts
	metadata, _ := json.Marshal(map[string]string{
		"team": w.allowed("usage"), "feature": c["label_value"] + " !", "environment": c["label_long"] + strings.Repeat("x", 60), "secret": c["label_name_value"],
	})
	return map[string]string{
		"Content-Type": "application/json", "Authorization": "Bearer " + w.key, "X-Weir-User": c["user"], "X-Weir-Run": c["run"] + " !",
		"X-Weir-Metadata": string(metadata), "X-Custom": c["header"], "User-Agent": c["user_agent"], "Cookie": "session=" + c["cookie"],
		"Idempotency-Key": c["idempotency"], "Baggage": "user=" + c["baggage"], "Traceparent": fmt.Sprintf("00-%032x-%016x-01", rand.Uint64(), rand.Uint64()),
		"Tracestate": "vendor=" + c["tracestate"],
	}
}

// request is one that the agent is sent.
type request struct {
	path, body string
	headers    map[string]string // other than said; "": without it
	status     int
}

func (w *world) requests() (all []request) {
	c := w.canaries.texts
	q := func(text string) string { quoted, _ := json.Marshal(text); return string(quoted) }
	image := "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(c["image"]))
	chat := func(model, more string) string {
		return `{"model":` + q(model) + `,"user":` + q(c["end_user_in_body"]) + `,"messages":[{"role":"system","content":` + q(c["system"]) + `},
			{"role":"user","content":[{"type":"text","text":` + q(c["prompt"]) + `},{"type":"image_url","image_url":{"url":` + q(image) + `}}]},
			{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":` + q(`{"who":`+q(c["tool_request"])+`}`) + `}}]},
			{"role":"tool","tool_call_id":"c1","content":` + q(c["tool_request"]) + `}]` + more + `}`
	}
	const completions, stream = "/v1/chat/completions", `,"stream":true`
	messages := func(more string) string {
		return `{"model":"claude","max_tokens":100,"metadata":{"user_id":` + q(c["end_user_in_body"]) + `},"system":` + q(c["system"]) + `,"messages":[{"role":"user","content":` + q(c["prompt"]) + `}]` + more + `}`
	}
	contents := `{"contents":[{"role":"user","parts":[{"text":` + q(c["prompt"]) + `},{"inlineData":{"mimeType":"image/png","data":` + q(base64.StdEncoding.EncodeToString([]byte(c["image"]))) + `}}]}]}`
	for _, route := range []string{"answers", "claude", "gemini", "hidden", "goes-on", "hedged", "hedged", "hedged", "by-what-is-said"} {
		all = append(all, request{path: completions, body: chat(route, ""), status: 200})
	}
	form := "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nanswers\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + c["user"] +
		"\"\r\n\r\n" + c["multipart"] + "\r\n--b--\r\n"
	return append(all,
		request{path: completions, body: chat("answers", stream), status: 200}, request{path: completions, body: chat("claude", stream), status: 200},
		request{path: completions, body: chat("breaks", stream), status: 200}, request{path: completions, body: chat("refuses", ""), status: 400},
		request{path: completions, body: chat("redirects", ""), status: 502}, request{path: completions, body: chat("babbles", ""), status: 0},
		request{path: "/v1/messages", body: messages(""), status: 200}, request{path: "/v1/messages", body: messages(stream), status: 200},
		request{path: "/v1/responses", body: `{"model":"claude","input":` + q(c["prompt"]) + `}`, status: 200},
		request{path: "/v1beta/models/gemini:generateContent", body: contents, status: 200},
		request{path: "/v1beta/models/claude:generateContent?" + url.Values{"key": {w.key}, "q": {c["query"]}}.Encode(), body: contents, headers: map[string]string{"Authorization": ""}, status: 200},
		request{path: "/v1beta/models/claude:generateContent?key=" + c["unknown_key"], body: contents, headers: map[string]string{"Authorization": ""}, status: 401},
		request{path: completions, body: chat(c["unknown_route"], ""), status: 404},
		request{path: completions, body: chat("answers", ""), headers: map[string]string{"X-Weir-Route": c["unknown_route_header"]}, status: 404},
		request{path: "/v1beta/models/" + url.PathEscape(c["unknown_route"]) + ":generateContent", body: contents, status: 404},
		request{path: "/v1/" + url.PathEscape(c["path"]) + "?q=" + url.QueryEscape(c["query"]), body: "{}", status: 404},
		request{path: completions, body: `{"model": ` + c["bad_body"], status: 400},
		request{path: completions, body: chat("answers", ""), headers: map[string]string{"Authorization": "Bearer " + c["unknown_key"]}, status: 401},
		request{path: completions, body: chat("answers", ""), headers: map[string]string{"X-Weir-User": c["user"] + "\t"}, status: 0},
		request{path: completions, body: chat("answers", ""), headers: map[string]string{"X-Weir-Metadata": c["label_value"]}, status: 400},
		request{path: "/v1/audio/transcriptions", body: form, headers: map[string]string{"Content-Type": "multipart/form-data; boundary=b"}, status: 0},
	)
}

// send returns the answer's headers; whatever comes is read to its end.
func (w *world) send(r request) http.Header {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	sent, err := http.NewRequestWithContext(ctx, http.MethodPost, w.agent.URL+r.path, strings.NewReader(r.body))
	w.must(err)
	for _, headers := range []map[string]string{w.said(), r.headers} {
		for name, value := range headers {
			sent.Header.Set(name, value)
			if value == "" {
				sent.Header.Del(name)
			}
		}
	}
	response, err := http.DefaultClient.Do(sent)
	w.must(err)
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body) // some break
	if r.status != 0 && response.StatusCode != r.status {
		w.t.Errorf("%.60s %.40s: %d, want %d: %.300s", r.path, r.body, response.StatusCode, r.status, answer)
	}
	if r.status == 200 && !bytes.Contains(answer, []byte("Lövelace")) && !bytes.Contains(answer, []byte(`L\u00f6velace`)) {
		w.t.Errorf("%s: the caller has no answer: %.300s", r.path, answer)
	}
	return response.Header
}
