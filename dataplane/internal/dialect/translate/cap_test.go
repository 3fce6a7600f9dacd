package translate_test

import (
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/translate"
)

// TestCapsOfTranslated: what is written for another provider is bound to the cap, or to the
// caller's own where that is lower.
func TestCapsOfTranslated(t *testing.T) {
	for name, provider := range map[string]struct {
		new   func() chat.Provider
		parse func([]byte) (dialect.Request, *dialect.Refusal)
		none  int64 // what is sent where neither says anything
	}{
		"openai":     {func() chat.Provider { return openai.NewProvider() }, openai.Chat{}.Parse, 0},
		"compatible": {func() chat.Provider { return openai.NewCompatible() }, openai.Chat{}.Parse, 0},
		"anthropic":  {func() chat.Provider { return anthropic.NewProvider() }, anthropic.Messages{}.Parse, anthropic.DefaultMaxOutput},
		"bedrock":    {func() chat.Provider { return bedrock.NewProvider() }, bedrock.Converse{}.Parse, 0},
		"gemini":     {func() chat.Provider { return gemini.NewProvider() }, gemini.Generate{}.Parse, 0},
		"vertex":     {func() chat.Provider { return gemini.NewVertex() }, gemini.Generate{}.Parse, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, test := range []struct {
				said      string
				cap, want int64
			}{{"", 0, provider.none}, {"", 5000, 5000}, {`,"max_tokens":9000`, 5000, 5000}, {`,"max_completion_tokens":30`, 5000, 30}, {`,"max_tokens":30`, 0, 30}} {
				attempt := translate.New(openai.NewSurface(), provider.new(), "id")
				attempt.Cap(test.cap)
				sent, fault := attempt.Request([]byte(`{"model":"m","messages":[{"role":"user","content":"a"}]`+test.said+`}`), "claude-sonnet-4-5", false)
				if fault != nil {
					t.Fatal(fault)
				}
				request, refusal := provider.parse(sent)
				if refusal != nil || request.MaxOutput != test.want {
					t.Errorf("%q at most %d: %d, %v, want %d: %s", test.said, test.cap, request.MaxOutput, refusal, test.want, sent)
				}
			}
		})
	}
}

// TestCapsBelowABudgetToThink: a budget that stands for an effort is made to fit; one that the
// caller wrote is not, and what is sent says what it needs.
func TestCapsBelowABudgetToThink(t *testing.T) {
	for name, provider := range map[string]struct {
		new   func() chat.Provider
		parse func([]byte) (dialect.Request, *dialect.Refusal)
		model string
	}{
		"anthropic": {func() chat.Provider { return anthropic.NewProvider() }, anthropic.Messages{}.Parse, "claude-sonnet-4-5"},
		"bedrock":   {func() chat.Provider { return bedrock.NewProvider() }, bedrock.Converse{}.Parse, "anthropic.claude-sonnet-4-5-20250929-v1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, test := range []struct {
				config string
				least  int64
			}{{`"thinkingConfig":{"thinkingBudget":4096}`, 4097}, {`"thinkingConfig":{"thinkingLevel":"HIGH"}`, 3000}} {
				attempt := translate.New(gemini.NewSurface(), provider.new(), "id")
				attempt.Cap(3000)
				sent, fault := attempt.Request([]byte(`{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{`+test.config+`}}`), provider.model, false)
				if fault != nil {
					t.Fatal(fault)
				}
				request, refusal := provider.parse(sent)
				if refusal != nil || request.MaxOutput != 3000 || request.Caps.Least != test.least {
					t.Errorf("%s: at most %d, at least %d, %v, want %d: %s", test.config, request.MaxOutput, request.Caps.Least, refusal, test.least, sent)
				}
			}
		})
	}
}
