package jsonvalue_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// FuzzValues: values read valid JSON as encoding/json does, and text is written so that it
// reads the same.
func FuzzValues(f *testing.F) {
	for _, seed := range []string{`[]`, ` [ 1 , "a,]\"\\" , {"b":[2]} ,null ] `, `"a\nb\u0041\ud83d\ude00\ud800"`, `{"a":1,"\u0062":[[]]}`, `-1.50`, "\"\xff\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want any
		if json.Unmarshal(text, &want) != nil {
			return
		}
		v := jsonvalue.New("v", []byte(strings.Trim(string(text), " \t\r\n")))
		switch want := want.(type) {
		case string:
			got := jsonscan.Text(v.Raw)
			var again string
			if err := json.Unmarshal(jsonvalue.AppendQuoted(nil, got), &again); err != nil || got != want || again != want {
				t.Fatalf("%q, %q, want %q: %v", got, again, want, err)
			}
		case []any:
			got := []any{}
			if fault := v.Array(func(i int, element jsonvalue.Value) *chat.Fault {
				var value any
				if err := json.Unmarshal(element.Raw, &value); err != nil || i != len(got) {
					t.Fatalf("%d %q: %v", i, element.Raw, err)
				}
				got = append(got, value)
				return nil
			}); fault != nil || !cmp.Equal(want, got) {
				t.Fatalf("%v, want %v: %v", got, want, fault)
			}
		case map[string]any:
			got := map[string]any{}
			if fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
				var value any
				_ = json.Unmarshal(field.Raw, &value)
				got[name] = value
				return nil
			}); fault != nil || len(got) > len(want) {
				t.Fatalf("%v, want %v: %v", got, want, fault)
			}
		}
	})
}

func TestInvalidUTF8IsReplaced(t *testing.T) {
	want, _ := json.Marshal("a\xffb\xe2\x82\x00")
	if got := string(jsonvalue.AppendQuoted(nil, "a\xffb\xe2\x82\x00")); jsonscan.Text([]byte(got)) != jsonscan.Text(want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAFaultSaysWhere(t *testing.T) {
	v := jsonvalue.New("a", []byte(`[{"b":[[1]]}]`))
	fault := v.Array(func(_ int, element jsonvalue.Value) *chat.Fault {
		return element.Object(func(_ string, field jsonvalue.Value) *chat.Fault {
			return field.Array(func(_ int, element jsonvalue.Value) *chat.Fault {
				return element.Array(func(_ int, element jsonvalue.Value) *chat.Fault { return element.Child("c", nil).Fault("no") })
			})
		})
	})
	if fault == nil || fault.Field != "a[0].b[0][0].c" {
		t.Error(fault)
	}
}

func TestWholeNumbers(t *testing.T) {
	for raw, ok := range map[string]bool{`1`: true, `0`: false, `1.0`: false, `1e3`: false, `"1"`: false, `9223372036854775808`: false, `-1`: false} {
		var n int64
		if fault := jsonvalue.New("n", []byte(raw)).Whole(1, &n); (fault == nil) != ok {
			t.Errorf("%s: %v", raw, fault)
		}
	}
}
