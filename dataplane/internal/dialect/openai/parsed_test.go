package openai_test

import (
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

// TestSurfaceTakesBackWhatTheSDKParsed: it repeats what stands beside it.
func TestSurfaceTakesBackWhatTheSDKParsed(t *testing.T) {
	request, fault := openai.NewSurface().Request([]byte(`{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"{\"b\":1}","parsed":{"b":1}},
		{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}","parsed_arguments":{}}}],"parsed":null}]}`))
	if fault != nil || len(request.Lossy) != 0 || request.Messages[1].Parts[0].Text != `{"b":1}` {
		t.Errorf("%v, lost %v: %+v", fault, request.Lossy, request.Messages)
	}
}
