package anthropic

import (
	"strconv"
	"strings"
)

// generation of a Claude model, by its name: 408 is 4.8; unknown where the name does not
// tell, or is none of Claude's.
// Names: https://platform.claude.com/docs/en/about-claude/models/overview
type generation int

const unknown generation = 0

func generationOf(model string) generation {
	_, rest, found := strings.Cut(model, "claude")
	if !found {
		return unknown
	}
	words := strings.FieldsFunc(rest, func(c rune) bool { return strings.ContainsRune("-.@:/_", c) })
	for i, word := range words {
		major, ok := number(word)
		if !ok {
			continue
		}
		minor := 0
		if i+1 < len(words) {
			minor, _ = number(words[i+1])
		}
		return generation(100*major + minor)
	}
	return unknown
}

// number reads one of at most two digits: longer ones are dates.
func number(word string) (int, bool) {
	if len(word) > 2 {
		return 0, false
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 0
}

// alwaysThinks tells the families whose thinking can't be disabled, and which can't be
// made to call a tool.
// Source: https://platform.claude.com/docs/en/models/fable-5-1/migration-guide
func alwaysThinks(model string) bool {
	return strings.Contains(model, "fable") || strings.Contains(model, "mythos")
}

// Where the name does not tell, all is sent as it was asked for.

// adapts: thinking is adaptive, and its depth an effort.
// Source: https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
func (g generation) adapts() bool { return g == unknown || g >= 406 }

// budgets: thinking can have a budget.
func (g generation) budgets() bool { return g == unknown || g <= 406 }

// samples: temperature, top_p and top_k are taken; later models refuse them.
// Source: https://platform.claude.com/docs/en/about-claude/models/migration-guide
func (g generation) samples() bool { return g == unknown || g <= 406 }

// formats: output_config.format is taken.
// Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs
func (g generation) formats() bool { return g == unknown || g >= 405 }

// instructs: the conversation may have system messages.
// Source: https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
func (g generation) instructs() bool { return g >= 408 }
