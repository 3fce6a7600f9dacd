package metered_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/metered"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
)

func spliced(r *dialect.Request, body []byte, model string) []byte {
	return bytes.Join(r.Splice(nil, body, []byte(model)), nil)
}

// FuzzRequests: what is taken is sent with another model, and else as it was.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(`{"model":"m","input":[{"id":"x"},{"role":"user","content":[]}],"tools":[{"type":"function"},7],"prompt":["a",["b"]],"best_of":2}`))
	f.Add([]byte(`{"stream":true,"m\u006fdel":"m","input":[1,2],"background":false,"stream_options":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, parse := range map[string]func([]byte) (dialect.Request, *dialect.Refusal){
			"response": responses.Passed{}.Parse, "embedding": metered.Embeddings{}.Parse, "speech": metered.Speech{}.Parse, "completion": metered.Completions{}.Parse,
		} {
			request, refusal := parse(body)
			if refusal != nil {
				continue
			}
			want, got := decoded(t, body), decoded(t, spliced(&request, body, `"other"`))
			want["model"] = "other"
			if name == "completion" { // it asks for usage
				delete(want, "stream_options")
				delete(got, "stream_options")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s: %q: %s", name, body, diff)
			}
		}
	})
}

func decoded(t *testing.T, body []byte) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	object := map[string]any{}
	if err := decoder.Decode(&object); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return object
}

// FuzzForms: whoever reads a form that was taken finds the other model in it.
func FuzzForms(f *testing.F) {
	f.Add([]byte(field("file", "RIFF\r\n--B") + field("model", "m") + "--B7--"))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, refusal := metered.Images{}.ParseTyped(formType, body)
		if refusal != nil {
			return
		}
		reader := multipart.NewReader(bytes.NewReader(spliced(&request, body, "other")), "B7")
		var models []string
		for {
			part, err := reader.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Skip("the standard library takes less")
			}
			value, _ := io.ReadAll(part)
			if strings.EqualFold(part.FormName(), "model") {
				models = append(models, string(value))
			}
		}
		if diff := cmp.Diff([]string{"other"}, models); diff != "" {
			t.Fatalf("%q: %s", body, diff)
		}
	})
}

// FuzzAnswers: no event of a stream is too odd to be looked at.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":2}}}`))
	f.Add([]byte(`{"type":"response.output_item.added","item":{"content":[]},"error":7,"usage":{"input_tokens":-1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, speaks := range []dialect.Dialect{responses.Passed{}, metered.Embeddings{}, metered.Images{}, metered.Speech{}, metered.Transcriptions{}} {
			s := dialect.Stream{Request: &dialect.Request{Choices: 1, Stream: true}}
			speaks.Look(&s, data)
			speaks.Done(data)
			speaks.Opens(data)
			if said := speaks.Answer(data); (said.Usage == nil) != (said.UsageSHA256 == nil) || s.Total && s.Answer.Usage == nil {
				t.Fatalf("%q: %+v %+v", data, said, s)
			}
		}
	})
}
