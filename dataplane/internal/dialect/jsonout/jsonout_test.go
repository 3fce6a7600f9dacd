package jsonout_test

import (
	"encoding/json"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonout"
)

func TestWriter(t *testing.T) {
	var w jsonout.Writer
	w.Item('{')
	w.Text("a", "x\n\"<b>\"")
	w.Said("left", "")
	w.Raw("raw", "")
	w.Open("list", '[')
	w.Item('{')
	w.Number("n", -3)
	w.End("}")
	w.Item('[')
	w.End("]]")
	w.Texts("none", nil)
	w.Texts("texts", []string{"p", "q"})
	w.Raw("raw", "1.50")
	w.End("}")
	want := `{"a":"x\n\"<b>\"","list":[{"n":-3},[]],"texts":["p","q"],"raw":1.50}`
	if got := string(w.B); got != want || !json.Valid(w.B) {
		t.Errorf("%s, want %s", got, want)
	}
}

// FuzzAppendString: encoding/json reads what it would have written.
func FuzzAppendString(f *testing.F) {
	for _, seed := range []string{"", "a\xffb\xe2\x82\x00", "\"\\\n\t\r\b\x1f\u2028😀"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want, got string
		reference, _ := json.Marshal(text)
		_ = json.Unmarshal(reference, &want)
		if err := json.Unmarshal(jsonout.AppendString(nil, text), &got); err != nil || got != want {
			t.Fatalf("%q, want %q: %v", got, want, err)
		}
	})
}
