package jsonscan_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

func TestFields(t *testing.T) {
	text := ` {"a" : 1.5e-3 ,"b\"":{"c":[{"d":null}]},"a":"x\u00e9","e":[]} `
	var nested []string
	fields, err := jsonscan.Fields(nil, []byte(text), func(name []byte) { nested = append(nested, string(name)) })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range fields {
		got = append(got, string(f.Name), string(f.Value))
		if text[f.At:f.At+len(f.Value)] != string(f.Value) {
			t.Errorf("value %q is not at %d", f.Value, f.At)
		}
	}
	want := []string{"a", "1.5e-3", `b\"`, `{"c":[{"d":null}]}`, "a", `"x\u00e9"`, "e", "[]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"c", "d"}, nested); diff != "" {
		t.Error(diff)
	}
}

func TestDepthIsBounded(t *testing.T) {
	deep := func(n int) []byte {
		return []byte(`{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}")
	}
	if _, err := jsonscan.Fields(nil, deep(jsonscan.MaxDepth-1), nil); err != nil {
		t.Errorf("at the bound: %v", err)
	}
	for _, text := range [][]byte{deep(jsonscan.MaxDepth), []byte(`{"a":` + strings.Repeat("[", 20<<20))} {
		var syntax *jsonscan.SyntaxError
		if _, err := jsonscan.Fields(nil, text, nil); !errors.As(err, &syntax) {
			t.Errorf("beyond the bound: %v", err)
		}
	}
}

// FuzzFields: accepted is what encoding/json accepts as an object, and the fields
// put together again are the object.
func FuzzFields(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"a":[1,{"b":"\u12aF"}],"a":-0.1E+2}`, `[]`, `{"a":01}`, `{"a":1,}`, `{"a"}`, "{\"a\":\"\x01\"}", `{"a":truefalse}`, `{"a":.5}`, `{"a":1.}`, `{"":""}x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fields, err := jsonscan.Fields(nil, text, func([]byte) {})
		object := json.Valid(text) && strings.HasPrefix(strings.TrimLeft(string(text), " \t\r\n"), "{")
		if (err == nil) != object {
			t.Fatalf("%q: object %v, error %v", text, object, err)
		}
		if err != nil {
			return
		}
		again := []string{}
		for _, field := range fields {
			again = append(again, `"`+string(field.Name)+`":`+string(field.Value))
		}
		if !cmp.Equal(decode(t, text), decode(t, []byte("{"+strings.Join(again, ",")+"}"))) {
			t.Fatalf("%q became %q", text, again)
		}
	})
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func BenchmarkFields(b *testing.B) {
	text := []byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("how much water passed ", 50) + `"}],"stream":true}`)
	var space [16]jsonscan.Field
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonscan.Fields(space[:0], text, nil); err != nil {
			b.Fatal(err)
		}
	}
}
