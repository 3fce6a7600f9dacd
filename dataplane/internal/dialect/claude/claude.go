// Package claude knows what Claude models take, by their names, and how the thinking that a
// request asks for is asked of them. Anthropic's own dialect writes it in its way, Bedrock's
// in another.
package claude

import (
	"strconv"
	"strings"
)

// Generation of a Claude model, by its name: 408 is 4.8; Unknown where the name does not
// tell, or is none of Claude's.
// Names: https://platform.claude.com/docs/en/about-claude/models/overview
type Generation int

// Unknown is taken for one that can do all that is asked of it.
const Unknown Generation = 0

// Of is the generation of a model.
func Of(model string) Generation {
	_, rest, found := strings.Cut(model, "claude")
	if !found {
		return Unknown
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
		return Generation(100*major + minor)
	}
	return Unknown
}

// number reads one of at most two digits: longer ones are dates.
func number(word string) (int, bool) {
	if len(word) > 2 {
		return 0, false
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 0
}

// AlwaysThinks tells the families whose thinking can't be disabled, and which can't be
// made to call a tool.
// Source: https://platform.claude.com/docs/en/models/fable-5-1/migration-guide
func AlwaysThinks(model string) bool {
	return strings.Contains(model, "fable") || strings.Contains(model, "mythos")
}

// Where the name does not tell, all is sent as it was asked for.

// Adapts: thinking is adaptive, and its depth an effort.
// Source: https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
func (g Generation) Adapts() bool { return g == Unknown || g >= 406 }

// Budgets: thinking can have a budget.
func (g Generation) Budgets() bool { return g == Unknown || g <= 406 }

// Samples: temperature, top_p and top_k are taken; later models refuse them.
// Source: https://platform.claude.com/docs/en/about-claude/models/migration-guide
func (g Generation) Samples() bool { return g == Unknown || g <= 406 }

// Formats: output_config.format is taken.
// Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs
func (g Generation) Formats() bool { return g == Unknown || g >= 405 }

// Instructs: the conversation may have system messages.
// Source: https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
func (g Generation) Instructs() bool { return g >= 408 }
