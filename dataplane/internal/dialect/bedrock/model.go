package bedrock

import (
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/claude"
)

// family of a model, by its id, which begins with its maker's name behind that of a group
// of regions: us.anthropic.claude-…. The ARN of an account's own profile or deployment
// tells nothing; where the name does not tell, all is sent as it was asked for.
type family int

const (
	unnamed family = iota
	claudeModels
	nova
	nova2
	gptOSS
	// others are of makers that have formats of answers here; plain ones have none.
	others
	plain
)

// makers are looked for in order.
// Ids: https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html
var makers = []struct {
	name   string
	family family
}{
	{"anthropic.", claudeModels}, {"amazon.nova-2", nova2}, {"amazon.nova", nova}, {"openai.gpt-oss", gptOSS},
	{"amazon.", plain}, {"meta.", plain}, {"cohere.", plain}, {"ai21.", plain}, {"writer.", plain}, {"deepseek.r1", plain},
	{"deepseek.", others}, {"google.", others}, {"minimax.", others}, {"mistral.", others}, {"moonshot.", others},
	{"moonshotai.", others}, {"nvidia.", others}, {"openai.", unnamed}, {"qwen.", others}, {"zai.", others},
}

// model is what the one that is asked takes.
type model struct {
	family     family
	generation claude.Generation
}

func modelOf(id string) model {
	name := id[strings.LastIndexByte(id, '/')+1:]
	for _, maker := range makers {
		if at := strings.Index(name, maker.name); at == 0 || at > 0 && name[at-1] == '.' {
			return model{maker.family, claude.Of(name)}
		}
	}
	return model{family: unnamed}
}

// caches: a prefix can be marked.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
func (m model) caches() bool { return m.cachesTools() || m.family == nova || m.family == nova2 }

// cachesTools: so can one of tools; then the mark may say for how long.
func (m model) cachesTools() bool { return m.family == claudeModels || m.family == unnamed }

// fails: the result of a tool may say that it failed.
func (m model) fails() bool { return m.caches() }

// formats: there is a native format of answers, and tools can be strict.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
func (m model) formats() bool {
	switch m.family {
	case claudeModels:
		return m.generation.Formats()
	case nova, nova2, plain:
		return false
	}
	return true
}

// emulates: a tool that must be called can stand for a format.
func (m model) emulates() bool {
	return m.family == claudeModels || m.family == nova || m.family == nova2
}
