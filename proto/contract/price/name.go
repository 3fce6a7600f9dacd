package price

import "regexp"

const bedrockList = "bedrock"

// bedrockName takes a model of Bedrock apart: what an ARN leads to, the inference profile of
// all regions, the vendor. Profiles of one geography (us.anthropic.…) are dearer than the list,
// so they are priced where an entry names them, and nowhere else.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
var bedrockName = regexp.MustCompile(`^(?:arn:aws[a-z-]*:bedrock:[a-z0-9-]*:[0-9]*:(?:foundation-model|inference-profile)/)?` +
	`(?:global\.)?((?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|openai|qwen)\.(.+))$`)

// names are those by which a list may have the model, the most exact first.
func names(list, model string) []string {
	if list == bedrockList {
		if parts := bedrockName.FindStringSubmatch(model); parts != nil {
			return []string{model, parts[1], parts[2]}
		}
	}
	return []string{model}
}
