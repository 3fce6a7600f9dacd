package jsonscan_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

func TestElements(t *testing.T) {
	for text, want := range map[string][]string{
		`[1, {"a":[2,"]"]} ,"x,y"]`: {"1@1", `{"a":[2,"]"]}@4`, `"x,y"@19`},
		` [ "a" ] `:                 {`"a"@3`},
		`[]`:                        nil,
		`"text"`:                    nil,
		`{"a":1}`:                   nil,
		`[1,2`:                      {"1@1", "2@3"},
		`[1,}`:                      {"1@1"},
		`[1 2]`:                     {"1@1"},
		``:                          nil,
	} {
		var got []string
		jsonscan.Elements([]byte(text), func(element []byte, at int) bool {
			got = append(got, fmt.Sprintf("%s@%d", element, at))
			return true
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	visited := 0
	jsonscan.Elements([]byte(`[1,2,3]`), func([]byte, int) bool { visited++; return visited < 2 })
	if visited != 2 {
		t.Errorf("%d visited", visited)
	}
}
