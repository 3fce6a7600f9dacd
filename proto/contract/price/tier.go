package price

import "strings"

// Service tiers by the names that prices have. Others are as their providers call them.
const (
	Standard = "standard"
	Batch    = "batch"
	Flex     = "flex"
	Priority = "priority"
	// Fast is Anthropic's fast mode. What OpenAI calls so is answered as Priority.
	Fast = "fast"
	// Global is where requests are served that no place has a price for.
	Global = "global"
)

// Tier is a service tier's name by what a request or an answer says; empty: nothing, so that
// the provider chooses.
// Sources: https://platform.openai.com/docs/api-reference/responses/create,
// https://platform.claude.com/docs/en/api/service-tiers,
// https://ai.google.dev/gemini-api/docs/priority-inference,
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ServiceTier.html,
// https://console.groq.com/docs/service-tiers
func Tier(said string) string {
	name := strings.TrimPrefix(strings.ToLower(said), "service_tier_")
	switch name {
	case "auto", "unspecified":
		return ""
	case "default", "standard_only", "on_demand":
		return Standard
	}
	return name
}
