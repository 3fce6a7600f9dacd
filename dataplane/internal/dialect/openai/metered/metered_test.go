package metered_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/metered"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestRequestsAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		parse func([]byte) (dialect.Request, *dialect.Refusal)
		body  string
		want  dialect.Request
	}{
		"embedding":       {metered.Embeddings{}.Parse, `{"model":"m","input":"how much"}`, dialect.Request{Choices: 1, Prompts: 1, NoOutput: true}},
		"embeddings":      {metered.Embeddings{}.Parse, `{"model":"m","input":["a, b","c\"]",""]}`, dialect.Request{Choices: 1, Prompts: 3, NoOutput: true}},
		"tokens":          {metered.Embeddings{}.Parse, `{"model":"m","input":[1, 2,3]}`, dialect.Request{Choices: 1, Prompts: 1, NoOutput: true}},
		"many_tokens":     {metered.Embeddings{}.Parse, `{"model":"m","input":[[1,2],[3]]}`, dialect.Request{Choices: 1, Prompts: 2, NoOutput: true}},
		"completion":      {metered.Completions{}.Parse, `{"model":"m","prompt":"a","max_tokens":7}`, dialect.Request{Choices: 1, Prompts: 1, MaxOutput: 7}},
		"completions":     {metered.Completions{}.Parse, `{"model":"m","prompt":["a","b"],"n":2,"best_of":3}`, dialect.Request{Choices: 6, Prompts: 2}},
		"no_best_of":      {metered.Completions{}.Parse, `{"model":"m","prompt":["a"],"n":2,"best_of":null}`, dialect.Request{Choices: 2, Prompts: 1}},
		"odd_best_of":     {metered.Completions{}.Parse, `{"model":"m","prompt":"a","best_of":"3"}`, dialect.Request{Choices: dialect.Unknown, Prompts: 1}},
		"speech":          {metered.Speech{}.Parse, `{"model":"m","input":"a"}`, dialect.Request{Choices: 1, Unmetered: true, AsksAudio: true}},
		"speech_streamed": {metered.Speech{}.Parse, `{"model":"m","stream_format":"sse"}`, dialect.Request{Choices: 1, Unmetered: true, AsksAudio: true, Stream: true}},
		"moderation":      {metered.Moderations{}.Parse, `{"model":"m","input":["a"]}`, dialect.Request{Choices: 1, Unmetered: true, NoOutput: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, refusal := test.parse([]byte(test.body))
			if refusal != nil || got.Model != "m" || test.body[got.ModelAt.From:got.ModelAt.To] != `"m"` {
				t.Fatalf("%+v, %+v", got, refusal)
			}
			got.Model, got.ModelAt, got.Caps, got.Fields = "", dialect.Edit{}, dialect.Caps{}, dialect.Fields{}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const formType = "multipart/form-data; boundary=B7"

func field(name, value string) string {
	return "--B7\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

func TestFormsAreReadAndSpliced(t *testing.T) {
	body := []byte(field("stream", "true") + field("model", "m") + field("file", "model\r\n") + field("n", "3") + "--B7--")
	request, refusal := metered.Images{}.ParseTyped(formType, body)
	if refusal != nil || !request.Form || !request.Stream || request.Model != "m" || request.Choices != 3 || !request.Unmetered || !request.AsksImages {
		t.Fatalf("%+v, %+v", request, refusal)
	}
	var sent strings.Builder
	for _, piece := range request.Splice(nil, body, []byte("gpt-image-1")) {
		sent.Write(piece)
	}
	if want := strings.Replace(string(body), "\r\n\r\nm\r\n", "\r\n\r\ngpt-image-1\r\n", 1); sent.String() != want {
		t.Errorf("sent %q", sent.String())
	}
}

func TestFormsThatAreRefused(t *testing.T) {
	for name, test := range map[string]struct{ contentType, body, code, param string }{
		"no_boundary":   {"multipart/form-data", field("model", "m") + "--B7--", "invalid_form", ""},
		"no_model":      {formType, field("file", "m") + "--B7--", "model_missing", "model"},
		"empty_model":   {formType, field("model", "") + "--B7--", "model_missing", "model"},
		"model_twice":   {formType, field("model", "m") + field("model", "x") + "--B7--", "invalid_json", "model"},
		"other_letters": {formType, field("model", "m") + field("Model", "x") + "--B7--", "invalid_json", "model"},
		"unfinished":    {formType, field("model", "m") + "--B7\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nRIFF", "invalid_form", "file"},
		"json":          {"application/json", `{"model":7}`, "model_missing", "model"},
		"not_json":      {"", `model=m`, "invalid_json", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, refusal := metered.Transcriptions{}.ParseTyped(test.contentType, []byte(test.body))
			if refusal == nil || refusal.Status != 400 || string(refusal.Code) != test.code || refusal.Param != test.param {
				t.Errorf("%+v", refusal)
			}
		})
	}
}

func TestUsageOfAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		speaks dialect.Dialect
		body   string
		usage  *usagev1.TokenUsage
		priced bool
	}{
		"embeddings": {metered.Embeddings{}, `{"data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}`, &usagev1.TokenUsage{Input: 8}, true},
		"completion": {metered.Completions{}, `{"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":2,"total_tokens":10}}`, &usagev1.TokenUsage{Input: 8, Output: 2}, true},
		"images": {metered.Images{}, `{"usage":{"total_tokens":370,"input_tokens":98,"output_tokens":272,"input_tokens_details":{"text_tokens":4,"image_tokens":94}}}`,
			&usagev1.TokenUsage{Input: 4, InputImage: 94, OutputImage: 272}, true},
		"images_and_text": {metered.Images{}, `{"data":[{"b64_json":"AA"},{"b64_json":"AA"}],"usage":{"input_tokens":9,"output_tokens":272,"output_tokens_details":{"text_tokens":12,"image_tokens":260}}}`,
			&usagev1.TokenUsage{Input: 9, Output: 12, OutputImage: 260, Images: 2}, true},
		"images_by_number": {metered.Images{}, `{"created":1,"data":[{"url":"https://a/,[{"},{"url":"b"}]}`, &usagev1.TokenUsage{Images: 2}, true},
		"no_images":        {metered.Images{}, `{"created":1,"data":[]}`, nil, true},
		"transcript": {metered.Transcriptions{}, `{"text":"x","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},"output_tokens":5,"total_tokens":19}}`,
			&usagev1.TokenUsage{Input: 4, InputAudio: 10, Output: 5}, true},
		"transcript_undivided": {metered.Transcriptions{}, `{"text":"x","usage":{"type":"tokens","input_tokens":14,"output_tokens":5,"total_tokens":19}}`, &usagev1.TokenUsage{Input: 14, Output: 5}, false},
		"transcript_by_time":   {metered.Transcriptions{}, `{"text":"x","usage":{"type":"duration","seconds":9}}`, nil, false},
		"transcript_as_text":   {metered.Transcriptions{}, "how much water\n", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.speaks.Answer([]byte(test.body))
			if diff := cmp.Diff(test.usage, got.Usage, protocmp.Transform()); diff != "" || got.Unpriced == test.priced || got.Failed {
				t.Errorf("%+v %s", got, diff)
			}
		})
	}
}

func TestStreamsTellUsageInTheirLastEvent(t *testing.T) {
	for name, test := range map[string]struct {
		speaks dialect.Dialect
		events []string
		usage  *usagev1.TokenUsage
		failed bool
	}{
		"speech": {metered.Speech{}, []string{`{"type":"speech.audio.delta","audio":"AA"}`, `{"type":"speech.audio.done","usage":{"input_tokens":4,"output_tokens":90,"total_tokens":94}}`},
			&usagev1.TokenUsage{Input: 4, OutputAudio: 90}, false},
		"transcript": {metered.Transcriptions{}, []string{`{"type":"transcript.text.delta","delta":"\"usage\""}`,
			`{"type":"transcript.text.done","text":"x","usage":{"input_tokens":3,"input_token_details":{"audio_tokens":3},"output_tokens":1}}`}, &usagev1.TokenUsage{InputAudio: 3, Output: 1}, false},
		"image": {metered.Images{}, []string{`{"type":"image_edit.partial_image","b64_json":"AA"}`, `{"type":"image_edit.completed","usage":{"input_tokens":3,"output_tokens":1}}`},
			&usagev1.TokenUsage{Input: 3, OutputImage: 1}, false},
		"error": {metered.Images{}, []string{`{"type":"error","error":{"message":"m"}}`}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := dialect.Stream{Request: &dialect.Request{Choices: 1, Stream: true}}
			for i, event := range test.events {
				if hidden := test.speaks.Look(&s, []byte(event)); hidden || s.Total != (i == len(test.events)-1 && !test.failed) {
					t.Errorf("event %d: hidden %v, total %v", i, hidden, s.Total)
				}
			}
			if diff := cmp.Diff(test.usage, s.Answer.Usage, protocmp.Transform()); diff != "" || s.Answer.Failed != test.failed {
				t.Errorf("%+v %s", s, diff)
			}
		})
	}
	s := dialect.Stream{Request: &dialect.Request{}}
	metered.Images{}.Glimpse(&s, []byte("event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"AAAA"))
	if s.Finished != 1 {
		t.Error("the end of a stream was not seen in a piece of its last event")
	}
}
