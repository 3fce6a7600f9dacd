package price

import (
	"regexp"
	"strings"
)

const (
	bedrockList   = "bedrock"
	anthropicList = "anthropic"
)

// bedrockName takes a model of Bedrock apart: what an ARN leads to, the inference profile of
// all regions, the vendor. Profiles of one geography (us.anthropic.…) are dearer than the list,
// so they are priced where an entry names them, and nowhere else.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
var bedrockName = regexp.MustCompile(`^(?:arn:aws[a-z-]*:bedrock:[a-z0-9-]*:[0-9]*:(?:foundation-model|inference-profile)/)?` +
	`(?:global\.)?((?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|openai|qwen)\.(.+))$`)

// anthropicDated is a model of Anthropic's with the day of its snapshot. Its prices are of
// models, not of snapshots: each name that has no day has one. Elsewhere it is not so: OpenAI
// sells gpt-4o-2024-05-13 at twice the price of gpt-4o, so that there a snapshot is priced by
// an entry of its own only.
// Sources: https://platform.claude.com/docs/en/about-claude/models/overview,
// https://platform.openai.com/docs/pricing
var anthropicDated = regexp.MustCompile(`^(claude-(?:[a-z]+-[0-9]+(?:-[0-9])?|[0-9](?:-[0-9])?-[a-z]+))-20[0-9]{6}$`)

// prefixes are what a list's models may be called by beside "<list>/": Google's resource
// names, and what those call a provider that sell models of many.
var prefixes = map[string][]string{
	"gemini":   {"models/", "google/", "publishers/google/models/"},
	"xai":      {"x-ai/"},
	"moonshot": {"moonshotai/"},
	"zhipu":    {"z-ai/"},
}

// names are those by which a list may have the model, the most exact first.
func names(list, model string) []string {
	if list == bedrockList {
		if parts := bedrockName.FindStringSubmatch(model); parts != nil {
			return []string{model, parts[1], parts[2]}
		}
	}
	all := []string{model}
	if plain, ok := withoutPrefix(list, model); ok {
		model = plain
		all = append(all, plain)
	}
	if list == anthropicList {
		if parts := anthropicDated.FindStringSubmatch(model); parts != nil {
			all = append(all, parts[1])
		}
	}
	return all
}

func withoutPrefix(list, model string) (plain string, ok bool) {
	if plain, ok = strings.CutPrefix(model, list+"/"); ok {
		return plain, true
	}
	for _, prefix := range prefixes[list] {
		if plain, ok = strings.CutPrefix(model, prefix); ok {
			return plain, true
		}
	}
	return model, false
}
