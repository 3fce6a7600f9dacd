package proxy

import "testing"

// TestPromptsThatAreAlike in every dialect: what goes on with a conversation leaves them
// alike, what changes its beginning does not.
func TestPromptsThatAreAlike(t *testing.T) {
	for name, test := range map[string]struct{ begun, goesOn, another string }{
		"chat": {
			`{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}]}`,
			`{"model":"n","temperature":1,"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}`,
			`{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"v"}]}`,
		},
		"chat_of_a_developer": {
			`{"messages":[{"content":"s","role":"developer"},{"role":"user","content":"u"}]}`,
			`{"messages":[{"content":"s","role":"developer"},{"role":"user","content":"u"}, {"role":"assistant","content":"a"}]}`,
			`{"messages":[{"content":"t","role":"developer"},{"role":"user","content":"u"}]}`,
		},
		"chat_tools": {
			`{"messages":[{"role":"user","content":"u"}],"tools":[{"type":"function"}]}`,
			`{"messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}],"tools":[{"type":"function"}]}`,
			`{"messages":[{"role":"user","content":"u"}],"tools":[]}`,
		},
		"messages": {
			`{"system":"s","messages":[{"role":"user","content":"u"}]}`,
			`{"system":"s","messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}],"max_tokens":5}`,
			`{"system":"t","messages":[{"role":"user","content":"u"}]}`,
		},
		"gemini": {
			`{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[]}]}`,
			`{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[]},{"role":"model"}]}`,
			`{"systemInstruction":{"parts":[{"text":"t"}]},"contents":[{"role":"user","parts":[]}]}`,
		},
		"responses": {
			`{"instructions":"s","input":[{"role":"user","content":"u"}]}`,
			`{"instructions":"s","input":[{"role":"user","content":"u"},{"type":"function_call"}]}`,
			`{"instructions":"s","input":"u"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			begun, there := alikePrompt([]byte(test.begun))
			goesOn, _ := alikePrompt([]byte(test.goesOn))
			another, _ := alikePrompt([]byte(test.another))
			if !there || begun != goesOn || begun == another {
				t.Errorf("%t, %x, goes on %x, another %x", there, begun, goesOn, another)
			}
		})
	}
	if _, there := alikePrompt([]byte(`{"model":"m"}`)); there {
		t.Error("nothing is alike to nothing")
	}
}

// TestComparingAllocatesNothing whatever the size of the prompt.
func TestComparingAllocatesNothing(t *testing.T) {
	body := append([]byte(`{"messages":[{"role":"user","content":"`), make([]byte, 0, 1<<20)...)
	for range 1 << 20 {
		body = append(body, 'x')
	}
	body = append(body, `"}]}`...)
	if n := testing.AllocsPerRun(10, func() { alikePrompt(body) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
