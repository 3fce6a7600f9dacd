package proxy_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const unknown = usagev1.UsageSource_USAGE_SOURCE_UNSPECIFIED

// otherwise is a body that is no JSON, and its media type.
type otherwise struct{ kind, body string }

// formOf writes a form with a file, in the order of the fields.
func formOf(file string, fields ...string) otherwise {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary("the-boundary")
	for i := 0; i < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	part, _ := w.CreateFormFile(file, "sound.wav")
	_, _ = part.Write([]byte("RIFF\r\n--the-boundar\r\n\x00\xff model"))
	_ = w.Close()
	return otherwise{w.FormDataContentType(), b.String()}
}

func inJSON(body string) otherwise { return otherwise{"application/json", body} }

// as is the body for another model.
func (o otherwise) as(from, to string) string {
	if o.kind == "application/json" {
		return strings.Replace(o.body, `"`+from+`"`, `"`+to+`"`, 1)
	}
	return strings.Replace(o.body, "\r\n\r\n"+from+"\r\n", "\r\n\r\n"+to+"\r\n", 1)
}

// ask posts to a path at a server.
func (o otherwise) ask(t *testing.T, base, path, key, body string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", o.kind)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// everNew is what two answers to the same request don't share.
var everNew = regexp.MustCompile(`(resp|msg|rs|cmpl|modr)[_-]\d+|"created(_at)?":\d+`)

func alike(text string) string { return everNew.ReplaceAllString(text, "") }

// toModel is a harness whose route "routed" leads to a model.
func toModel(t *testing.T, model string) *harness {
	h := newHarness(t)
	h.routed(&policyv1.Route{Strategy: policyv1.Strategy_STRATEGY_SINGLE, Targets: []*policyv1.Target{to("mock", model, 0)}})
	return h
}

func TestOpenAISurfacesPassUntouched(t *testing.T) {
	const spaced = "{\"model\" : \"routed\",\n\t"

	for name, test := range map[string]struct {
		path, model string
		body        otherwise
		surface     string
		streamed    bool
		source      usagev1.UsageSource
		priced      bool
	}{
		"response":        {"/v1/responses", "gpt-4o", inJSON(spaced + `"input":"how much","reasoning":{"effort":"low"},"x":1.50}`), "RESPONSES", false, reported, true},
		"response_stream": {"/v1/responses", "gpt-4o", inJSON(spaced + `"input":[{"role":"user","content":"how much"}],"stream":true}`), "RESPONSES", true, reported, true},
		"response_cut":    {"/v1/responses", "gpt-4o", inJSON(spaced + `"input":"how much","stream":true,"max_output_tokens":3}`), "RESPONSES", true, reported, true},
		"embeddings":      {"/v1/embeddings", "gpt-4o", inJSON(spaced + `"input":["how much","water"],"encoding_format":"base64"}`), "EMBEDDINGS", false, reported, true},
		"completion":      {"/v1/completions", "gpt-4o", inJSON(spaced + `"prompt":"how much","n":2}`), "COMPLETIONS", false, reported, true},
		"completion_stream": {"/v1/completions", "gpt-4o", inJSON(spaced + `"prompt":["how much","water"],"stream":true,"stream_options":{"include_usage":true}}`),
			"COMPLETIONS", true, reported, true},
		"image":            {"/v1/images/generations", "gpt-image-1", inJSON(spaced + `"prompt":"a weir"}`), "IMAGES", false, reported, false},
		"image_stream":     {"/v1/images/generations", "gpt-image-1", inJSON(spaced + `"prompt":"a weir","stream":true,"partial_images":2}`), "IMAGES", true, reported, false},
		"image_of_old":     {"/v1/images/generations", "dall-e-3", inJSON(spaced + `"prompt":"a weir"}`), "IMAGES", false, reported, false},
		"image_edit":       {"/v1/images/edits", "gpt-image-1", formOf("image", "prompt", "wider", "model", "routed"), "IMAGES", false, reported, false},
		"image_variation":  {"/v1/images/variations", "dall-e-2", formOf("image", "model", "routed", "n", "2"), "IMAGES", false, reported, false},
		"speech":           {"/v1/audio/speech", "dear-model", inJSON(spaced + `"input":"how much water","voice":"alloy"}`), "SPEECH", false, unknown, false},
		"speech_events":    {"/v1/audio/speech", "dear-model", inJSON(spaced + `"input":"how much water","voice":"alloy","stream_format":"sse"}`), "SPEECH", true, reported, true},
		"transcript":       {"/v1/audio/transcriptions", "dear-model", formOf("file", "model", "routed", "prompt", "of a weir"), "TRANSCRIPTIONS", false, reported, true},
		"transcript_srt":   {"/v1/audio/transcriptions", "dear-model", formOf("file", "model", "routed", "response_format", "srt"), "TRANSCRIPTIONS", false, unknown, false},
		"transcript_time":  {"/v1/audio/transcriptions", "whisper-1", formOf("file", "response_format", "verbose_json", "model", "routed"), "TRANSCRIPTIONS", false, unknown, false},
		"transcript_event": {"/v1/audio/transcriptions", "dear-model", formOf("file", "stream", "true", "model", "routed"), "TRANSCRIPTIONS", true, reported, true},
		"translation":      {"/v1/audio/translations", "dear-model", formOf("file", "model", "routed", "response_format", "vtt"), "TRANSCRIPTIONS", false, unknown, false},
		"moderation":       {"/v1/moderations", "omni-moderation-latest", inJSON(spaced + `"input":["how much","water"]}`), "MODERATIONS", false, unknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := toModel(t, test.model)
			sent := test.body.as("routed", test.model)
			response, text := test.body.ask(t, h.agent.URL, test.path, goodKey, test.body.body)
			if response.StatusCode != 200 || response.Header.Get("X-Weir-Target") != "mock/"+test.model || response.Header.Get("X-Weir-Lossy") != "" {
				t.Fatalf("%d %v %s", response.StatusCode, response.Header, text)
			}
			if got := h.mock.Requests()[0]; string(got.Body) != sent || got.Path != test.path || got.Header.Get("Content-Type") != test.body.kind {
				t.Errorf("upstream got %s %v\n%q, want\n%q", got.Path, got.Header, got.Body, sent)
			}
			served := h.mock.Ledger().Models[test.model].Tokens
			alone, said := test.body.ask(t, h.upstream.URL, test.path, upstreamKey, sent)
			if alike(said) != alike(text) || alone.Header.Get("Content-Type") != response.Header.Get("Content-Type") {
				t.Errorf("the caller got\n%s, the upstream said\n%s", text, said)
			}
			usage := &usagev1.TokenUsage{}
			if test.source == reported {
				usage = &usagev1.TokenUsage{Input: served.Input, Output: served.Output, Reasoning: served.Reasoning, InputAudio: served.InputAudio, OutputAudio: served.OutputAudio}
			}
			cost := int64(-1)
			switch {
			case test.priced && test.model == "gpt-4o":
				cost = served.Input*2_500 + (served.Output+served.Reasoning)*10_000
			case test.priced:
				cost = served.Input + served.Output*5 + served.InputAudio*40 + served.OutputAudio*80
			}
			started, ended := h.record()
			if test.surface == "IMAGES" { // the mock's ledger does not tell them from text
				u := ended.Attempts[0].Usage
				if u.Output != 0 || u.OutputImage == 0 && u.Images == 0 {
					t.Errorf("used %v", u)
				}
				u.Input, u.Output = u.Input+u.InputImage, u.OutputImage
				u.InputImage, u.OutputImage, u.Images = 0, 0, 0
			}
			want := ending{answered, 200, "", test.source, usage, cost}
			if diff := cmp.Diff(want, endingOf(ended), protocmp.Transform()); diff != "" || ended.Surface.String() != "SURFACE_OPENAI_"+test.surface ||
				ended.Streamed != test.streamed || ended.TimeToFirstTokenUs <= 0 || len(ended.Attempts[0].RawUsageSha256) == 0 == (test.source == reported && !strings.HasPrefix(test.model, "dall-e")) {
				t.Errorf("%s\n%v", diff, ended)
			}
			if first := started.Attempts[0]; test.source == unknown && (first.UsageSource != unknown || first.Usage.Input != 0 || first.CostNanoUsd != nil) {
				t.Errorf("started as %v", first)
			}
		})
	}
}

// TestCompletionStreamsHideTheUsage that only the agent asked for.
func TestCompletionStreamsHideTheUsage(t *testing.T) {
	h := newHarness(t)
	_, text := inJSON("").ask(t, h.agent.URL, "/v1/completions", goodKey, `{"model":"chat","prompt":"how much","stream":true}`)
	if strings.Contains(text, `"usage":{`) || !strings.HasSuffix(text, "data: [DONE]\n\n") {
		t.Errorf("the caller got %s", text)
	}
	served := h.mock.Ledger().Models["gpt-4o"].Tokens
	wantEnding(t, h, ending{answered, 200, "", reported, &usagev1.TokenUsage{Input: served.Input, Output: served.Output}, served.Input*2_500 + served.Output*10_000})
}

// TestManyPromptsAreBoundedEach by what the model takes.
func TestManyPromptsAreBoundedEach(t *testing.T) {
	h := newHarness(t)
	body := `{"model":"dear","input":["` + strings.Repeat("a ", 900) + `","b"]}`
	inJSON("").ask(t, h.agent.URL, "/v1/embeddings", goodKey, body)
	started, _ := h.record()
	sent := int64(len(body))                                                                                            // "dear" became "dear-model", 1000 tokens each
	if got := started.Attempts[0]; got.Usage.Input != sent || got.Usage.Output != 0 || got.GetCostNanoUsd() != sent*2 { // as if all were written to the cache
		t.Errorf("an upper bound of %v for %d bytes", got, sent)
	}
}

func TestOtherDialectsHaveNoneOfThese(t *testing.T) {
	for _, path := range []string{"/v1/embeddings", "/v1/completions", "/v1/images/generations", "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/moderations"} {
		t.Run(strings.ReplaceAll(path[4:], "/", "_"), func(t *testing.T) {
			h := claude(t, toSonnet)
			response, text := inJSON("").ask(t, h.agent.URL, path, goodKey, `{"model":"routed","input":"x"}`)
			wantError(t, response, text, 400, "dialect_mismatch")
			if len(h.mock.Requests()) != 0 {
				t.Error("it was sent")
			}
		})
	}
}

func TestMalformedFormsAreRefused(t *testing.T) {
	h := newHarness(t)
	body := formOf("file", "model", "chat")
	response, text := body.ask(t, h.agent.URL, "/v1/audio/transcriptions", goodKey, body.body[:len(body.body)-20])
	wantError(t, response, text, 400, "invalid_form")
	if !strings.Contains(text, `"param":"file"`) || len(h.mock.Requests()) != 0 {
		t.Error(text)
	}
}

// TestTwoBoundariesAreRefused: each reader would find other fields.
func TestTwoBoundariesAreRefused(t *testing.T) {
	h := newHarness(t)
	body := formOf("file", "model", "routed")
	r := httptest.NewRequest(http.MethodPost, "/v1/audio/transcriptions", strings.NewReader(body.body))
	r.Header = http.Header{"Authorization": {"Bearer " + goodKey}, "Content-Type": {body.kind, "multipart/form-data; boundary=x"}}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	if w.Code != 400 || !strings.Contains(w.Body.String(), `"invalid_form"`) || len(h.mock.Requests()) != 0 {
		t.Error(w.Code, w.Body)
	}
}

func TestStoredStateIsRefused(t *testing.T) {
	h := newHarness(t)
	response, text := inJSON("").ask(t, h.agent.URL, "/v1/responses", goodKey, `{"model":"chat","input":"x","previous_response_id":"resp_1"}`)
	wantError(t, response, text, 400, "unsupported_field")
	if !strings.Contains(text, `"param":"previous_response_id"`) || len(h.mock.Requests()) != 0 {
		t.Error(text)
	}
}

// TestOpenAISurfacesFailOver where the first target fails before any content.
func TestOpenAISurfacesFailOver(t *testing.T) {
	fails := llmtest.Fault{Kind: llmtest.Status, Status: 500}
	for name, test := range map[string]struct {
		path  string
		body  otherwise
		fault llmtest.Fault
	}{
		"response":        {"/v1/responses", inJSON(`{"model":"routed","input":"x"}`), fails},
		"response_stream": {"/v1/responses", inJSON(`{"model":"routed","input":"x","stream":true}`), llmtest.Fault{Kind: llmtest.Cut, After: 4}},
		"response_failed": {"/v1/responses", inJSON(`{"model":"routed","input":"x","stream":true}`), llmtest.Fault{Kind: llmtest.ErrorEvent, After: 2}},
		"embeddings":      {"/v1/embeddings", inJSON(`{"model":"routed","input":"x"}`), llmtest.Fault{Kind: llmtest.Cut}},
		"completion":      {"/v1/completions", inJSON(`{"model":"routed","prompt":"x"}`), llmtest.Fault{Kind: llmtest.ErrorBody}},
		"image_edit":      {"/v1/images/edits", formOf("image", "model", "routed", "prompt", "x"), fails},
		"transcript":      {"/v1/audio/transcriptions", formOf("file", "model", "routed"), fails},
		"speech":          {"/v1/audio/speech", inJSON(`{"model":"routed","input":"x"}`), llmtest.Fault{Kind: llmtest.Status, Status: 429}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "dear-model", 0)}})
			h.mock.Script(test.fault)
			response, text := test.body.ask(t, h.agent.URL, test.path, goodKey, test.body.body)
			wantHeaders(t, response, "2", "mock/dear-model")
			sent := h.mock.Requests()
			if response.StatusCode != 200 || strings.Contains(text, `"error":{`) || string(sent[1].Body) != test.body.as("routed", "dear-model") {
				t.Errorf("the caller got %d %s, upstream %q", response.StatusCode, text, sent[1].Body)
			}
		})
	}
}

// TestPassedResponsesThatBreak end with an event of their own dialect.
func TestPassedResponsesThatBreak(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(llmtest.Fault{Kind: llmtest.Cut, After: 8})
	response, text := inJSON("").ask(t, h.agent.URL, "/v1/responses", goodKey, `{"model":"chat","input":"x","stream":true,"max_output_tokens":50}`)
	if response.StatusCode != 200 || !strings.Contains(text, "event: error\ndata: {\"type\":\"error\",\"code\":\"upstream_broke\"") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	_, ended := h.record()
	if got := endingOf(ended); got.Outcome != broke || got.Source != estimated || got.Usage.Output != 50 || got.Cost <= 0 {
		t.Errorf("recorded %v", ended)
	}
}

// TestLargeLastEvents are not held, but known for what they are.
func TestLargeLastEvents(t *testing.T) {
	h := newHarness(t)
	h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"x\":\""+strings.Repeat("x", 3<<20)+"\"}}\n\n")
	})
	_, text := inJSON("").ask(t, h.agent.URL, "/v1/responses", goodKey, `{"model":"chat","input":"x","stream":true,"max_output_tokens":50}`)
	_, ended := h.record()
	if got := endingOf(ended); len(text) < 3<<20 || strings.Contains(text, "upstream_broke") || got.Outcome != answered || got.Source != estimated {
		t.Errorf("%d bytes, recorded %v", len(text), ended)
	}
}

func TestResponsesByOtherDialects(t *testing.T) {
	for name, rest := range map[string]string{"whole": `}`, "stream": `,"stream":true}`} {
		t.Run(name, func(t *testing.T) {
			h := claude(t, toSonnet)
			response, text := inJSON("").ask(t, h.agent.URL, "/v1/responses", goodKey, `{"model":"routed","input":"how much water passed","max_output_tokens":50`+rest)
			if response.StatusCode != 200 || h.mock.Requests()[0].Path != "/v1/messages" || !strings.Contains(text, `"status":"completed"`) {
				t.Fatalf("%d %s", response.StatusCode, text)
			}
			want := told(h)
			_, ended := h.record()
			if diff := cmp.Diff(want, endingOf(ended), protocmp.Transform()); diff != "" || ended.Surface != usagev1.Surface_SURFACE_OPENAI_RESPONSES {
				t.Errorf("%s\n%v", diff, ended)
			}
		})
	}
}

// TestResponsesGoWhereTheyAreServed: to Azure as they are, to compatible servers as chats.
func TestResponsesGoWhereTheyAreServed(t *testing.T) {
	const body = `{"model":"routed","input":"how much","x":1.50}`
	for name, test := range map[string]struct {
		dialect           policyv1.Dialect
		base, path, lossy string
	}{
		"azure":      {policyv1.Dialect_DIALECT_AZURE_OPENAI, "", "/openai/v1/responses", ""},
		"compatible": {policyv1.Dialect_DIALECT_OPENAI_COMPATIBLE, "/v1", "/v1/chat/completions", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			var path, sent string
			h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				path = r.URL.Path
				b, _ := io.ReadAll(r.Body)
				sent = string(b)
				r.URL.Path, r.Body = strings.Replace(r.URL.Path, "/openai", "", 1), io.NopCloser(bytes.NewReader(b))
				r.Header.Set("Authorization", "Bearer "+upstreamKey)
				h.mock.ServeHTTP(w, r)
			})
			h.extra = []*policyv1.Resource{
				resource(t, "provider", "other", &policyv1.Provider{Id: "other", Name: "other", Dialect: test.dialect, BaseUrl: h.upstream.URL + test.base,
					CredentialRef: "env://WEIR_SECRET_MOCK", PriceList: "openai"}),
				resource(t, "route", "r-routed", &policyv1.Route{Id: "r-routed", Name: "routed", Strategy: priority, Targets: []*policyv1.Target{to("other", "gpt-4o", 0)}}),
			}
			h.holder.Store(h.policy(h.upstream.URL))
			response, text := inJSON("").ask(t, h.agent.URL, "/v1/responses", goodKey, body)
			if response.StatusCode != 200 || path != test.path || response.Header.Get("X-Weir-Lossy") != test.lossy || !strings.Contains(text, `"object":"response"`) {
				t.Errorf("%d %v from %s: %s", response.StatusCode, response.Header, path, text)
			}
			if test.lossy == "" && sent != strings.Replace(body, "routed", "gpt-4o", 1) {
				t.Errorf("sent %s", sent)
			}
			served := h.mock.Ledger().Models["gpt-4o"].Tokens
			wantEnding(t, h, ending{answered, 200, "", reported, &usagev1.TokenUsage{Input: served.Input, Output: served.Output}, served.Input*2_500 + served.Output*10_000})
		})
	}
}
