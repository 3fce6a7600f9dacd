package claude_test

import (
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/claude"
)

func TestOf(t *testing.T) {
	for model, want := range map[string]claude.Generation{
		"claude-opus-4-8":                                     408,
		"claude-sonnet-4-5@20250929":                          405,
		"claude-3-7-sonnet-latest":                            307,
		"anthropic.claude-3-sonnet-20240229-v1:0:200k":        300,
		"us.anthropic.claude-sonnet-4-20250514-v1:0":          400,
		"eu.anthropic.claude-haiku-4-5-20251001-v1:0":         405,
		"global.anthropic.claude-opus-4-6-v1":                 406,
		"anthropic.claude-fable-5":                            500,
		"arn:aws:bedrock:us-east-1:1:inference-profile/a.b-3": claude.Unknown,
		"gpt-5": claude.Unknown,
	} {
		if got := claude.Of(model); got != want {
			t.Errorf("%s: %d, want %d", model, got, want)
		}
	}
}

func TestThink(t *testing.T) {
	for name, test := range map[string]struct {
		model     string
		reasoning chat.Reasoning
		forced    bool
		want      claude.Thinking
		lossy     int
	}{
		"nothing":  {"claude-opus-4-8", chat.Reasoning{}, false, claude.Thinking{}, 0},
		"off":      {"claude-opus-4-8", chat.Reasoning{Effort: "none"}, false, claude.Thinking{Off: true}, 0},
		"always":   {"claude-fable-5", chat.Reasoning{Effort: "none"}, false, claude.Thinking{}, 1},
		"budget":   {"claude-sonnet-4-5", chat.Reasoning{Budget: 10}, false, claude.Thinking{On: true, Budget: 1024}, 1},
		"effort":   {"claude-sonnet-4-5", chat.Reasoning{Effort: "low"}, false, claude.Thinking{On: true, Budget: 2048}, 0},
		"adaptive": {"claude-opus-4-8", chat.Reasoning{Effort: "minimal", Budget: 9000}, false, claude.Thinking{On: true, Effort: "low"}, 2},
		"forced":   {"claude-opus-4-8", chat.Reasoning{Effort: "high"}, true, claude.Thinking{Effort: "high"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, lossy := claude.Think(&chat.Request{Model: test.model, Reasoning: test.reasoning}, test.forced)
			if got != test.want || len(lossy) != test.lossy {
				t.Errorf("%+v, %v, want %+v", got, lossy, test.want)
			}
		})
	}
}
