package responses_test

import (
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
)

// TestSurfaceTakesBackWhatTheSDKParsed: it repeats what stands beside it.
func TestSurfaceTakesBackWhatTheSDKParsed(t *testing.T) {
	request, fault := responses.NewSurface().Request([]byte(`{"model":"m","input":[{"role":"user","content":"a"},
		{"type":"message","role":"assistant","content":[{"type":"output_text","text":"{\"b\":1}","parsed":{"b":1}}]},
		{"type":"function_call","call_id":"c","name":"f","arguments":"{}","parsed_arguments":{}}]}`))
	if fault != nil || len(request.Lossy) != 0 || request.Messages[1].Parts[0].Text != `{"b":1}` {
		t.Errorf("%v, lost %v: %+v", fault, request.Lossy, request.Messages)
	}
}
