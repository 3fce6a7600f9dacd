package llmtest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// geminiRequest is what the mock understands of a request besides the chat in it.
type geminiRequest struct {
	chatRequest
	// Array: the stream is one JSON array, as it is without alt=sse.
	Array bool
	// Thoughts are to be seen in the answer.
	Thoughts bool
}

// geminiFields are those of a request; any other is an error, as it is with Google.
var geminiFields = strings.Fields(`model contents systemInstruction tools toolConfig generationConfig safetySettings
	cachedContent labels store serviceTier`)

// field is found in either form of its name.
func field(object gjson.Result, name string) gjson.Result {
	var found gjson.Result
	object.ForEach(func(key, value gjson.Result) bool {
		if camel(key.Str) == name {
			found = value
		}
		return true
	})
	return found
}

func camel(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// each visits what may stand as a list or alone.
func each(value gjson.Result, visit func(gjson.Result)) {
	switch {
	case value.IsArray():
		value.ForEach(func(_, element gjson.Result) bool { visit(element); return true })
	case value.Exists():
		visit(value)
	}
}

func parseGemini(model string, body []byte) (geminiRequest, *geminiError) {
	request := geminiRequest{chatRequest: chatRequest{Model: model, N: 1, PromptTokens: tokensPerPrompt}}
	if !gjson.ValidBytes(body) || !gjson.ParseBytes(body).IsObject() {
		return request, invalidGemini("Invalid JSON payload received. Unexpected token.")
	}
	root := gjson.ParseBytes(body)
	var invalid *geminiError
	root.ForEach(func(key, _ gjson.Result) bool {
		if !slices.Contains(geminiFields, camel(key.Str)) {
			invalid = invalidGemini("Invalid JSON payload received. Unknown name \"%s\": Cannot find field.", key.Str)
		}
		return invalid == nil
	})
	for _, step := range []func(gjson.Result) *geminiError{request.configure, request.converse, request.choose} {
		if invalid == nil {
			invalid = step(root)
		}
	}
	return request, invalid
}

// configure reads generationConfig.
func (g *geminiRequest) configure(root gjson.Result) *geminiError {
	config := field(root, "generationConfig")
	if n := field(config, "candidateCount"); n.Exists() {
		if g.N = int(n.Int()); g.N < 1 || g.N > 8 {
			return invalidGemini("candidate_count must be in the range [1, 8].")
		}
	}
	if most := field(config, "maxOutputTokens"); most.Exists() {
		if g.Cap = int(most.Int()); g.Cap < 1 {
			return invalidGemini("max_output_tokens must be positive.")
		}
	}
	thinking := field(config, "thinkingConfig")
	g.Thoughts = field(thinking, "includeThoughts").Bool()
	if field(thinking, "thinkingBudget").Exists() && field(thinking, "thinkingLevel").Exists() {
		return invalidGemini("You can only set only one of thinking budget and thinking level.")
	}
	budget := field(thinking, "thinkingBudget")
	g.Reasons = field(thinking, "thinkingLevel").Exists() || budget.Exists() && budget.Int() != 0
	each(field(config, "stopSequences"), func(stop gjson.Result) { g.Stops = append(g.Stops, stop.Str) })
	g.JSON = field(config, "responseMimeType").Str == "application/json"
	g.Schema = field(config, "responseJsonSchema")
	if !g.Schema.Exists() {
		g.Schema = field(config, "responseSchema")
	}
	return nil
}

// choose decides which functions are called.
func (g *geminiRequest) choose(root gjson.Result) *geminiError {
	config := field(field(root, "toolConfig"), "functionCallingConfig")
	allowed := field(config, "allowedFunctionNames")
	var functions []calledTool
	each(field(root, "tools"), func(tool gjson.Result) {
		each(field(tool, "functionDeclarations"), func(declared gjson.Result) {
			name := declared.Get("name").Str
			fits := !allowed.Exists()
			each(allowed, func(one gjson.Result) { fits = fits || one.Str == name })
			schema := field(declared, "parametersJsonSchema")
			if !schema.Exists() {
				schema = declared.Get("parameters")
			}
			if fits {
				functions = append(functions, calledTool{name, schema})
			}
		})
	})
	mode := strings.ToUpper(field(config, "mode").Str)
	choice := toolChoice{kind: map[string]choose{"ANY": chooseAny, "NONE": chooseNone}[mode]}
	g.Calls = pick(functions, choice, g.LastUser)
	if choice.kind == chooseAny && len(g.Calls) == 0 {
		return invalidGemini("Function calling mode ANY needs at least one function declaration that is allowed.")
	}
	return nil
}

// converse counts the prompt and holds the conversation to the rules of turns.
func (g *geminiRequest) converse(root gjson.Result) *geminiError {
	if system := field(root, "systemInstruction"); system.Exists() {
		g.PromptTokens += tokensPerMessage + CountWords(geminiText(system))
	}
	var invalid *geminiError
	contents, waiting := 0, 0
	each(field(root, "contents"), func(content gjson.Result) {
		contents++
		if invalid == nil {
			invalid = g.turn(content, &waiting)
		}
	})
	if contents == 0 {
		return invalidGemini("* GenerateContentRequest.contents: contents is not specified")
	}
	return invalid
}

// turn reads one content. waiting is how many calls of the turn before are unanswered.
func (g *geminiRequest) turn(content gjson.Result, waiting *int) *geminiError {
	role := content.Get("role").Str
	if role != "" && role != "user" && role != "model" && role != "function" {
		return invalidGemini("Please use a valid role: user, model.")
	}
	calls, answers, parts := 0, 0, 0
	var invalid *geminiError
	each(content.Get("parts"), func(part gjson.Result) {
		parts++
		if field(part, "functionResponse").Exists() {
			answers++
		}
		if field(part, "functionCall").Exists() {
			if calls == 0 && strings.HasPrefix(g.Model, "gemini-3") && field(part, "thoughtSignature").Str == "" {
				invalid = invalidGemini("Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly.")
			}
			calls++
		}
	})
	switch {
	case parts == 0:
		return invalidGemini("* GenerateContentRequest.contents.parts: contents.parts must not be empty.")
	case answers != *waiting:
		return invalidGemini("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
	}
	*waiting = calls
	text := geminiText(content)
	if role != "model" {
		g.LastUser = text
	}
	g.PromptTokens += tokensPerMessage + CountWords(text)
	return invalid
}

// geminiText joins the text parts of a content with a space.
func geminiText(content gjson.Result) string {
	var texts []string
	each(content.Get("parts"), func(part gjson.Result) {
		if text := part.Get("text").Str; text != "" {
			texts = append(texts, text)
		}
	})
	return strings.Join(texts, " ")
}

// geminiCall serves POST /v1beta/models/{model}:{method}.
func (s *Server) geminiCall(w http.ResponseWriter, r *http.Request, body []byte) {
	model, method, _ := strings.Cut(r.PathValue("call"), ":")
	array := method == "streamGenerateContent" && r.URL.Query().Get("alt") != "sse"
	if !s.serves(model) {
		s.refuseGemini(w, array, notFoundGemini("models/"+model))
		return
	}
	switch method {
	case "generateContent", "streamGenerateContent":
		s.generateContent(w, r, model, body)
	case "countTokens":
		s.countGeminiTokens(w, model, body)
	case "embedContent":
		s.embedContent(w, r, model, body)
	case "batchEmbedContents":
		s.embedContents(w, r, model, body)
	default:
		s.refuseGemini(w, false, notFoundGemini("models/"+model+":"+method))
	}
}

// vertexCall is geminiCall without what Vertex AI does otherwise: it embeds by another
// method, and counts what stands at the body's top.
func (s *Server) vertexCall(w http.ResponseWriter, r *http.Request, body []byte) {
	model, method, _ := strings.Cut(r.PathValue("call"), ":")
	counted := field(gjson.ParseBytes(body), "generateContentRequest")
	switch {
	case strings.Contains(method, "mbed"):
		s.noGemini(w, r, body)
	case counted.Exists():
		s.refuseGemini(w, false, *invalidGemini("Invalid JSON payload received. Unknown name \"generateContentRequest\": Cannot find field."))
	default:
		r.SetPathValue("call", model+":"+method)
		s.geminiCall(w, r, body)
	}
}
