package metered

import (
	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// Embeddings are billed by their input.
type Embeddings struct{ openai.Chat }

var _ dialect.Dialect = Embeddings{}

// Parse counts the inputs: each may be as long as the model takes.
func (Embeddings) Parse(body []byte) (dialect.Request, *dialect.Refusal) {
	request, found, refusal := parse("", body)
	request.Choices, request.NoOutput = 1, true
	request.Prompts = prompts(found[fieldInput].Value)
	return request, refusal
}

// Answer has usage without output.
func (Embeddings) Answer(body []byte) dialect.Answer {
	return openai.ReadAnswer(body, openai.ParseInputUsage).Answer
}

// Moderations are free of charge and say nothing of usage.
type Moderations struct{ openai.Chat }

var _ dialect.Dialect = Moderations{}

// Parse reads a request.
func (Moderations) Parse(body []byte) (dialect.Request, *dialect.Refusal) {
	request, _, refusal := parse("", body)
	request.NoOutput, request.Unmetered = true, true
	return request, refusal
}

// Completions are the texts that there were before chats; their streams end, and say their
// usage, as those of chats do.
type Completions struct{ openai.Chat }

var _ dialect.Dialect = Completions{}

var completionNames = []string{"prompt", "best_of", "max_tokens"}

// Parse reads a request as that of a chat. There is an answer for each prompt, and more
// may be generated than is answered.
func (Completions) Parse(body []byte) (dialect.Request, *dialect.Refusal) {
	request, refusal := openai.ParseRequest(body)
	if refusal != nil {
		return request, (*dialect.Refusal)(refusal)
	}
	var space [32]jsonscan.Field
	fields, _ := jsonscan.Fields(space[:0], body, nil) // it was read before
	var found [3]jsonscan.Field
	if refusal = openai.Pick(found[:], fields, completionNames); refusal != nil {
		return request, (*dialect.Refusal)(refusal)
	}
	openai.CapOf(&request, found[2], body, "max_tokens", `"max_tokens":`) // no other field is known here
	request.Prompts = prompts(found[0].Value)
	best := openai.Whole(found[1].Value, request.Choices)
	if best < 0 || request.Choices < 0 {
		if request.Choices >= 0 {
			request.Fields.Choices = "best_of"
		}
		request.Choices = dialect.Unknown
		return request, nil
	}
	request.Choices = max(request.Choices, best) * request.Prompts
	return request, nil
}

// prompts counts those of a field: an array of texts or of arrays of tokens has one in each
// element, an array of tokens is one.
func prompts(raw []byte) int64 {
	n := int64(0)
	one := jsonvalue.New("", raw).Array(func(_ int, element jsonvalue.Value) *chat.Fault {
		if c := element.Raw[0]; c != '"' && c != '[' && c != '{' {
			return element.Fault("")
		}
		n++
		return nil
	})
	if one != nil || n == 0 {
		return 1
	}
	return n
}
