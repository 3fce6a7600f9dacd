package dialect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/metered"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
)

// capped is a surface whose upstreams can be bound to a cap.
type capped struct {
	name       string
	parse      func([]byte) (dialect.Request, *dialect.Refusal)
	compatible bool
	// fields are the names of the cap, the one that must be there first; within is the object that
	// has them, in both its forms, empty: the body.
	fields []string
	within []string
	// others are what else a body has.
	others string
}

var surfaces = []capped{
	{name: "chat", parse: openai.Chat{}.Parse, fields: []string{"max_completion_tokens", "max_tokens"}, others: `"model":"m","messages":[{"role":"user","content":"max_tokens"}]`},
	{name: "chat_compatible", parse: openai.Chat{}.Parse, compatible: true, fields: []string{"max_tokens", "max_completion_tokens"}, others: `"model":"m","messages":[]`},
	{name: "completions", parse: metered.Completions{}.Parse, fields: []string{"max_tokens"}, others: `"model":"m","prompt":["a","b"],"best_of":2`},
	{name: "completions_compatible", parse: metered.Completions{}.Parse, compatible: true, fields: []string{"max_tokens"}, others: `"model":"m","prompt":"a"`},
	{name: "responses", parse: responses.Passed{}.Parse, fields: []string{"max_output_tokens"}, others: `"model":"m","input":"a"`},
	{name: "messages", parse: anthropic.Messages{}.Parse, fields: []string{"max_tokens"}, others: `"model":"m","thinking":{"type":"enabled","budget_tokens":2048}`},
	{name: "gemini", parse: gemini.Generate{}.Parse, fields: []string{"maxOutputTokens", "max_output_tokens"}, within: []string{"generationConfig", "generation_config"},
		others: `"model":"models/m","contents":[{"parts":[{"text":"maxOutputTokens"}]}]`},
}

const most = 100

// values that a caller may write, and what is sent where 100 is the most.
var values = map[string]string{
	"": "100", "null": "100", "7": "7", "100": "100", "101": "100", "4000000000": "100", "0": "100", "-1": "100", "1e1": "10", "20.0": "20",
	"1e400": "100", "7.5": "7", `"50"`: `"50"`, `"500"`: "100", `"x"`: "100", "true": "100", "[1]": "100", `{"max_tokens":1}`: "100",
}

// shapes of a body: fields ahead of what is put in and behind it.
var shapes = []struct{ name, before, after string }{
	{"first", "{%s", ",%s}"}, {"last", "{%[2]s,", "%[1]s}"}, {"spaced", " \n{ %s", " ,\t%s\r\n} "},
	{"streamed", `{"stream":true,%s`, `,%s}`}, {"streamed_last", `{"stream":true,"stream_options":null,%[2]s,`, `%[1]s}`},
	{"escaped", `{"\u0061":{"max_tokens":9,"a":"\"max_tokens\":9,"},%s`, `,%s}`},
}

// body puts a cap, if there is one, among the other fields.
func (s *capped) body(shape int, field, value string) string {
	said := ""
	if value != "" {
		said = fmt.Sprintf(`%q : %s`, field, value)
	}
	if s.within != nil {
		said = fmt.Sprintf(`%q:{"topK":1%s}`, s.within[0], strings.TrimSuffix(","+said, ","))
	}
	before, after := shapes[shape].before, shapes[shape].after
	if said == "" {
		said = `"n":1`
	}
	return fmt.Sprintf(strings.ReplaceAll(before, "%s", "%[1]s")+strings.ReplaceAll(after, "%s", "%[2]s"), said, s.others)
}

func (s *capped) splice(t *testing.T, body string, tokens int64) string {
	t.Helper()
	request, refusal := s.parse([]byte(body))
	if refusal != nil {
		t.Fatalf("%s: %+v", body, refusal)
	}
	return string(bytes.Join(request.SpliceCapped(nil, []byte(body), []byte(`"up"`), dialect.Cap{Tokens: tokens, Compatible: s.compatible}), nil))
}

// TestCaps: of every surface, wherever and however a caller writes the cap, what is sent is
// bound to the agent's, and nothing else of it is different.
func TestCaps(t *testing.T) {
	for _, s := range surfaces {
		for shape := range shapes {
			for value, want := range values {
				for _, field := range s.fields {
					body := s.body(shape, field, value)
					plain, sent := s.splice(t, body, 0), s.splice(t, body, most)
					got := s.take(t, sent)
					if said := got[field]; value != "" && value != "null" && said != want {
						t.Errorf("%s: %s\nbecame %s\nwhich caps at %s, want %s", s.name, body, sent, said, want)
					}
					s.binds(t, body, sent, got)
					if diff := cmp.Diff(s.rest(t, plain), s.rest(t, sent)); diff != "" {
						t.Errorf("%s: %s became %s: %s", s.name, body, sent, diff)
					}
				}
			}
		}
	}
}

// binds asserts that what is sent has the field that its upstream heeds, and no field above
// the cap.
func (s *capped) binds(t *testing.T, body, sent string, got map[string]string) {
	t.Helper()
	bound := false
	for i, field := range s.fields {
		value, there := got[field]
		if !there || value == "null" {
			continue
		}
		n, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 64)
		if err != nil || n < 1 || n > most {
			t.Errorf("%s: %s became %s: %s is %s", s.name, body, sent, field, value)
		}
		bound = bound || i == 0 || !s.compatible
	}
	if !bound {
		t.Errorf("%s: %s became %s, which has no cap", s.name, body, sent)
	}
	if s.name == "chat" && len(got) == 2 && !strings.Contains(body, `"null"`) && got["max_tokens"] != "null" && !strings.Contains(body, "max_completion_tokens") {
		t.Errorf("%s became %s: OpenAI refuses both fields", body, sent)
	}
}

// TestCapsInPlace: where exactly a cap is put, or replaced.
func TestCapsInPlace(t *testing.T) {
	for name, test := range map[string]struct{ surface, body, want string }{
		"own_absent":        {"chat", `{ "model":"m"}`, `{"max_completion_tokens":100, "model":"up"}`},
		"own_null":          {"chat", `{"model":"m","max_completion_tokens":null,"max_tokens":null}`, `{"model":"up","max_completion_tokens":100,"max_tokens":null}`},
		"older_null":        {"chat", `{"model":"m","max_tokens":null}`, `{"max_completion_tokens":100,"model":"up","max_tokens":null}`},
		"older_said":        {"chat", `{"model":"m","max_tokens":200}`, `{"model":"up","max_tokens":100}`},
		"both_said":         {"chat", `{"max_tokens":200,"model":"m","max_completion_tokens":50}`, `{"max_tokens":100,"model":"up","max_completion_tokens":50}`},
		"own_said":          {"chat", `{"max_tokens":null,"model":"m","max_completion_tokens":500}`, `{"max_tokens":null,"model":"up","max_completion_tokens":100}`},
		"compatible_absent": {"chat_compatible", `{"model":"m","stream":true}`, `{"stream_options":{"include_usage":true},"max_tokens":100,"model":"up","stream":true}`},
		"compatible_own":    {"chat_compatible", `{"model":"m","max_completion_tokens":500}`, `{"max_tokens":100,"model":"up","max_completion_tokens":100}`},
		"compatible_null":   {"chat_compatible", `{"model":"m","max_completion_tokens":null,"max_tokens":null}`, `{"model":"up","max_completion_tokens":null,"max_tokens":100}`},
		"compatible_both":   {"chat_compatible", `{"model":"m","max_completion_tokens":500,"max_tokens":500}`, `{"model":"up","max_completion_tokens":100,"max_tokens":100}`},
		"completions":       {"completions", `{"model":"m","prompt":"a","max_completion_tokens":5}`, `{"max_tokens":100,"model":"up","prompt":"a","max_completion_tokens":5}`},
		"completions_twice": {"completions_compatible", `{"model":"m","max_tokens":16,"max_completion_tokens":500}`, `{"model":"up","max_tokens":16,"max_completion_tokens":500}`},
		"responses":         {"responses", `{"model":"m","max_output_tokens":1e3}`, `{"model":"up","max_output_tokens":100}`},
		"messages_absent":   {"messages", `{"model":"m"}`, `{"max_tokens":100,"model":"up"}`},
		"messages":          {"messages", `{"max_tokens":4096,"model":"m"}`, `{"max_tokens":100,"model":"up"}`},
		"gemini_empty":      {"gemini", `{ }`, `{"generationConfig":{"maxOutputTokens":100} }`},
		"gemini_absent":     {"gemini", `{"contents":[]}`, `{"generationConfig":{"maxOutputTokens":100},"contents":[]}`},
		"gemini_null":       {"gemini", `{"contents":[],"generation_config": null}`, `{"contents":[],"generation_config": {"maxOutputTokens":100}}`},
		"gemini_no_fields":  {"gemini", `{"generationConfig":{ }}`, `{"generationConfig":{"maxOutputTokens":100 }}`},
		"gemini_fields":     {"gemini", `{"generation_config": { "topK":1}}`, `{"generation_config": {"maxOutputTokens":100, "topK":1}}`},
		"gemini_snake":      {"gemini", `{"generation_config":{"max_output_tokens":"500"}}`, `{"generation_config":{"max_output_tokens":100}}`},
		"gemini_lower":      {"gemini", `{"generation_config":{"max_output_tokens":"50"}}`, `{"generation_config":{"max_output_tokens":"50"}}`},
		"gemini_null_field": {"gemini", `{"generationConfig":{"maxOutputTokens":null}}`, `{"generationConfig":{"maxOutputTokens":100}}`},
		"gemini_models":     {"gemini", `{"model":"models/m","contents":[]}`, `{"generationConfig":{"maxOutputTokens":100},"model":"models/up","contents":[]}`},
		"gemini_no_object":  {"gemini", `{"generationConfig":[7]}`, `{"generationConfig":[7]}`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range surfaces {
				if s.name == test.surface {
					if got := s.splice(t, test.body, most); got != test.want {
						t.Errorf("%s became\n%s, want\n%s", test.body, got, test.want)
					}
				}
			}
		})
	}
}

// TestNoCapWithoutOutput: what answers with vectors, images or sounds has no cap.
func TestNoCapWithoutOutput(t *testing.T) {
	for name, parse := range map[string]func([]byte) (dialect.Request, *dialect.Refusal){
		"embeddings": metered.Embeddings{}.Parse, "speech": metered.Speech{}.Parse, "moderations": metered.Moderations{}.Parse, "embed": gemini.Embed{}.Parse,
	} {
		body := []byte(`{"model":"models/m","input":"a"}`)
		request, refusal := parse(body)
		if refusal != nil {
			t.Fatal(refusal)
		}
		plain := bytes.Join(request.Splice(nil, body, []byte(`"up"`)), nil)
		if sent := bytes.Join(request.SpliceCapped(nil, body, []byte(`"up"`), dialect.Cap{Tokens: most}), nil); !bytes.Equal(plain, sent) {
			t.Errorf("%s: %s became %s", name, plain, sent)
		}
	}
}

// TestLeastCaps: how low a cap may be.
func TestLeastCaps(t *testing.T) {
	for body, want := range map[string]int64{
		`{"model":"m","thinking":{"type":"enabled","budget_tokens":2048}}`: 2049,
		`{"model":"m","thinking":{"type":"adaptive"}}`:                     0,
		`{"model":"m","thinking":null}`:                                    0,
		`{"model":"m","thinking":{"budget\u005ftokens":9}}`:                10,
		`{"model":"m","thinking":{"budget_tokens":-4}}`:                    0,
	} {
		request, refusal := anthropic.ParseRequest([]byte(body))
		if refusal != nil || request.Caps.Least != want {
			t.Errorf("%s: %d, %v, want %d", body, request.Caps.Least, refusal, want)
		}
	}
	if request, _ := (responses.Passed{}).Parse([]byte(`{"model":"m"}`)); request.Caps.Least != 16 {
		t.Errorf("responses: %d", request.Caps.Least)
	}
}

// TestSpliceWithoutCapAllocates: nothing that a splice did not allocate before there were caps.
func TestSpliceWithoutCapAllocates(t *testing.T) {
	body, model := []byte(`{"model":"m","max_tokens":5,"messages":[]}`), []byte(`"up"`)
	request, _ := openai.ParseRequest(body)
	parts := make([][]byte, 0, 5)
	if n := testing.AllocsPerRun(100, func() { request.SpliceCapped(parts[:0], body, model, dialect.Cap{Compatible: true}) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzCaps: what is accepted stays JSON, bound to the cap, and nothing else of it is
// different.
func FuzzCaps(f *testing.F) {
	for _, s := range surfaces {
		for shape := range shapes {
			f.Add([]byte(s.body(shape, s.fields[0], "null")))
			f.Add([]byte(s.body(shape, s.fields[len(s.fields)-1], "1e3")))
		}
	}
	f.Add([]byte(`{"generationConfig":{},"generateContentRequest":{"model":"models/a"},"model":"models/m","max_tokens":9}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, s := range surfaces {
			request, refusal := s.parse(body)
			if refusal != nil || s.within != nil && request.Caps.Own.To == 0 {
				continue
			}
			plain, sent := s.splice(t, string(body), 0), s.splice(t, string(body), most)
			s.binds(t, string(body), sent, s.take(t, sent))
			if diff := cmp.Diff(s.rest(t, plain), s.rest(t, sent)); diff != "" {
				t.Fatalf("%s: %q became %q: %s", s.name, body, sent, diff)
			}
		}
	})
}

// pair is a field of an object, in its order.
type pair struct {
	Name  string
	Value any
}

// take is the caps in a body, raw.
func (s *capped) take(t *testing.T, body string) map[string]string {
	t.Helper()
	caps := map[string]string{}
	s.walk(decode(t, body), func(name string, value any) {
		raw, _ := json.Marshal(value)
		caps[name] = string(raw)
	})
	return caps
}

// rest is a body without caps, and without an object that had nothing else.
func (s *capped) rest(t *testing.T, body string) []pair {
	t.Helper()
	return s.walk(decode(t, body), func(string, any) {})
}

func (s *capped) walk(body []pair, found func(string, any)) (rest []pair) {
	for _, p := range body {
		switch fields, object := p.Value.([]pair); {
		case s.within == nil && has(s.fields, p.Name):
			found(p.Name, p.Value)
		case s.within != nil && has(s.within, p.Name) && (object || p.Value == nil):
			var others []pair
			for _, field := range fields {
				if has(s.fields, field.Name) {
					found(field.Name, field.Value)
				} else {
					others = append(others, field)
				}
			}
			if len(others) > 0 {
				rest = append(rest, pair{p.Name, others})
			}
		default:
			rest = append(rest, p)
		}
	}
	return rest
}

func has(names []string, name string) bool {
	for _, known := range names {
		if known == name {
			return true
		}
	}
	return false
}

// decode reads a body with the standard library's decoder, fields that stand there twice
// included.
func decode(t *testing.T, body string) []pair {
	t.Helper()
	if !json.Valid([]byte(body)) {
		t.Fatalf("%q is not JSON", body)
	}
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	value, err := next(decoder)
	fields, object := value.([]pair)
	if err != nil || !object {
		t.Fatalf("%q: %v", body, err)
	}
	return fields
}

func next(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		fields := []pair{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := next(d)
			if err != nil {
				return nil, err
			}
			fields = append(fields, pair{name.(string), value})
		}
		_, err = d.Token()
		return fields, err
	case json.Delim('['):
		elements := []any{}
		for d.More() {
			value, err := next(d)
			if err != nil {
				return nil, err
			}
			elements = append(elements, value)
		}
		_, err = d.Token()
		return elements, err
	}
	return token, nil
}

// TestLesserCapsAreKept: whatever is said and asked, the lesser is sent.
func TestLesserCapsAreKept(t *testing.T) {
	s := &surfaces[5]
	for _, said := range []int64{1, 2, 99, 100, 101, math.MaxInt32, math.MaxInt64} {
		for _, asked := range []int64{1, 100, math.MaxInt32, math.MaxInt64} {
			body := fmt.Sprintf(`{"model":"m","max_tokens":%d}`, said)
			if got, want := s.splice(t, body, asked), fmt.Sprintf(`{"model":"up","max_tokens":%d}`, min(said, asked)); got != want {
				t.Errorf("%d of %s: %s, want %s", asked, body, got, want)
			}
		}
	}
}
