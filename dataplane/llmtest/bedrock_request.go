package llmtest

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// converseRequest is what the mock understands of a request.
type converseRequest struct {
	messageRequest
	// tier that serves it; empty: not asked for.
	tier string
	// asksSequence: which stop sequence ended the answer is to be told.
	asksSequence bool
}

// converseReader reads a request; the first thing that is wrong stays.
type converseReader struct {
	messageReader
	tier         string
	asksSequence bool
	// before is the role of the turn before; usesTools: there is a call or a result.
	before    string
	usesTools bool
	documents map[string]bool
}

var (
	converseFields = strings.Fields(`messages system inferenceConfig toolConfig outputConfig additionalModelRequestFields
		additionalModelResponseFieldPaths guardrailConfig performanceConfig promptVariables requestMetadata serviceTier`)
	converseTiers  = []string{"priority", "default", "flex", "reserved"}
	toolUseID      = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	documentName   = regexp.MustCompile(`^[A-Za-z0-9\[\]()-]+( [A-Za-z0-9\[\]()-]+)*$`)
	imageFormats   = strings.Fields("png jpeg gif webp")
	fileFormats    = strings.Fields("pdf csv doc docx xls xlsx html txt md")
	audioFormats   = strings.Fields("mp3 opus wav aac flac mp4 ogg mkv mka x-aac m4a mpeg mpga pcm webm")
	anyOutputBound = 1 << 30
)

// parseConverse says what is wrong in the provider's manner.
func parseConverse(model string, body []byte) (converseRequest, string) {
	r := converseReader{messageReader: messageReader{messageRequest: messageRequest{Model: model, PromptTokens: tokensPerPrompt, Cap: anyOutputBound}}}
	root := gjson.ParseBytes(body)
	if !gjson.ValidBytes(body) || !root.IsObject() {
		return converseRequest{}, "The request body is not valid JSON."
	}
	r.only("", root, converseFields)
	r.config(root.Get("inferenceConfig"))
	r.conversation(root)
	r.thinking(root.Get("additionalModelRequestFields.thinking"))
	r.toolConfig(root.Get("toolConfig"))
	r.output(root.Get("outputConfig"))
	r.others(root)
	return converseRequest{r.messageRequest, r.tier, r.asksSequence}, r.invalid
}

// only refuses fields that are not known.
func (r *converseReader) only(at string, object gjson.Result, known []string) {
	object.ForEach(func(name, _ gjson.Result) bool {
		if !slices.Contains(known, name.Str) {
			r.fail("Malformed input request: #/%s: extraneous key [%s] is not permitted, please reformat your input and try again.", at, name.Str)
		}
		return true
	})
}

// member is the one field of a union; empty: there is not just one.
func (r *converseReader) member(at string, union gjson.Result) (name string, value gjson.Result) {
	fields := union.Map()
	if len(fields) != 1 {
		r.fail("The value at %s must have exactly one of its members set.", at)
		return "", gjson.Result{}
	}
	for name, value = range fields {
	}
	return name, value
}

func (r *converseReader) config(config gjson.Result) {
	r.only("inferenceConfig", config, strings.Fields("maxTokens temperature topP stopSequences"))
	if most := config.Get("maxTokens"); most.Exists() {
		if r.Cap = int(most.Int()); r.Cap < 1 {
			r.fail("Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1")
		}
	}
	for _, name := range []string{"temperature", "topP"} {
		if n := config.Get(name); n.Exists() && (n.Type != gjson.Number || n.Num < 0 || n.Num > 1) {
			r.fail("Value at 'inferenceConfig.%s' failed to satisfy constraint: Member must have value between 0 and 1", name)
		}
	}
	for _, stop := range config.Get("stopSequences").Array() {
		r.Stops = append(r.Stops, stop.Str)
	}
}

// conversation holds messages to the rules of turns.
func (r *converseReader) conversation(root gjson.Result) {
	for i, block := range root.Get("system").Array() {
		r.content(fmt.Sprintf("system.%d", i), "system", block, systemMembers)
	}
	messages := root.Get("messages").Array()
	if len(messages) == 0 {
		r.fail("messages: at least one message is required")
	}
	for i, message := range messages {
		at := fmt.Sprintf("messages.%d", i)
		r.only(at, message, []string{"role", "content"})
		r.turn(at, message.Get("role").Str)
		blocks := message.Get("content").Array()
		if len(blocks) == 0 {
			r.fail("The content field in the Message object at %s is empty. Add a ContentBlock object to the content field and try again.", at)
		}
		for j, block := range blocks {
			r.content(fmt.Sprintf("%s.content.%d", at, j), r.before, block, turnMembers)
		}
		if r.before == "user" {
			r.answered(at)
		}
	}
	r.answered("messages")
}

func (r *converseReader) turn(at, role string) {
	r.PromptTokens += tokensPerMessage
	switch {
	case role != "user" && role != "assistant":
		r.fail("Value '%s' at '%s.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]", role, at)
	case r.before == "" && role == "assistant":
		r.fail("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
	case r.before == role:
		r.fail("A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.")
	case role == "user":
		r.LastUser = ""
	}
	r.before = role
}

var (
	systemMembers = strings.Fields("text cachePoint guardContent")
	turnMembers   = strings.Fields("text image document audio cachePoint reasoningContent toolUse toolResult")
)

// content reads one block, of those that are allowed.
func (r *converseReader) content(at, role string, block gjson.Result, allowed []string) {
	kind, value := r.member(at, block)
	if !slices.Contains(allowed, kind) {
		r.fail("Malformed input request: #/%s: extraneous key [%s] is not permitted, please reformat your input and try again.", at, kind)
	}
	switch kind {
	case "text":
		if strings.TrimSpace(value.Str) == "" {
			r.fail("The text field in the ContentBlock object at %s is blank. Add text to the text field, and try again.", at)
		}
		r.text(role, value.Str)
	case "json":
		r.PromptTokens += CountWords(value.Raw)
	case "image", "document", "audio":
		r.file(at, kind, value)
	case "cachePoint":
		r.cachePoint(at, value)
	case "reasoningContent":
		r.reasoning(at, value)
	case "toolUse":
		r.toolUse(at, value)
	case "toolResult":
		r.toolResult(at, value)
	}
}

func (r *converseReader) file(at, kind string, file gjson.Result) {
	r.PromptTokens += mediaTokens
	formats := map[string][]string{"image": imageFormats, "document": fileFormats, "audio": audioFormats}[kind]
	if format := file.Get("format").Str; !slices.Contains(formats, format) {
		r.fail("Value '%s' at '%s.%s.format' failed to satisfy constraint: Member must satisfy enum value set", format, at, kind)
	}
	source, value := r.member(at+"."+kind+".source", file.Get("source"))
	_, err := base64.StdEncoding.DecodeString(value.Str)
	if source == "bytes" && (err != nil || value.Str == "") || source != "bytes" && source != "s3Location" {
		r.fail("The source of the %s at %s can't be read.", kind, at)
	}
	if kind != "document" {
		return
	}
	name := file.Get("name").Str
	if !documentName.MatchString(name) || r.documents[name] {
		r.fail("The document file name at %s can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets, and must be unique.", at)
	}
	if r.documents == nil {
		r.documents = map[string]bool{}
	}
	r.documents[name] = true
}

// cachePoint notes that all up to here is written to the cache.
func (r *converseReader) cachePoint(at string, point gjson.Result) {
	if point.Get("type").Str != "default" {
		r.fail("Value at '%s.cachePoint.type' failed to satisfy constraint: Member must satisfy enum value set: [default]", at)
	}
	switch ttl := point.Get("ttl").Str; ttl {
	case "", "5m":
		r.Write5m = r.PromptTokens
	case "1h":
		r.Write1h = r.PromptTokens
	default:
		r.fail("Value '%s' at '%s.cachePoint.ttl' failed to satisfy constraint: Member must satisfy enum value set: [5m, 1h]", ttl, at)
	}
}

func (r *converseReader) reasoning(at string, content gjson.Result) {
	switch kind, value := r.member(at+".reasoningContent", content); kind {
	case "reasoningText":
		if !signed(value.Get("text").Str, value.Get("signature").Str) {
			r.fail("The model returned the following errors: %s: Invalid `signature` in `thinking` block", at)
		}
	case "redactedContent":
		if value.Str != redacted {
			r.fail("The model returned the following errors: %s: Invalid `data` in `redacted_thinking` block", at)
		}
	}
}
