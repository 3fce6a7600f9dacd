package gemini

import "strings"

// Methods of a model.
const (
	MethodGenerate    = "generateContent"
	MethodStream      = "streamGenerateContent"
	MethodCountTokens = "countTokens"
	MethodEmbed       = "embedContent"
	MethodEmbedBatch  = "batchEmbedContents"
)

// Models is where models are, below the API's version.
const Models = "/models"

// ParsePath takes /v1beta/models/{model}:{method} apart, also of the version v1. The path is
// decoded already. Not ok: it is of another form, or of a method that is not served.
func ParsePath(path string) (model, method string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/v1beta"+Models+"/")
	if !ok {
		rest, ok = strings.CutPrefix(path, "/v1"+Models+"/")
	}
	at := strings.LastIndexByte(rest, ':')
	if !ok || at < 1 {
		return "", "", false
	}
	switch method = rest[at+1:]; method {
	case MethodGenerate, MethodStream, MethodCountTokens, MethodEmbed, MethodEmbedBatch:
		return rest[:at], method, true
	}
	return "", "", false
}
