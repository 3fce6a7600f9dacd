// Package chat is the canonical model of a chat: what every dialect's requests, answers
// and streams are turned into and made from, so that N dialects need 2N converters. It
// is used where the dialects of the two sides differ; elsewhere bytes pass as they came.
// It has no opinion about what is valid for a provider, and does no I/O.
//
// A converter that can't carry something names the field in Lossy, as the surface
// writes it, and leaves it out: it never invents content and never drops in silence.
package chat

// Request is one chat request.
type Request struct {
	// Model is the upstream's; a converter to a provider writes it.
	Model  string
	Stream bool
	// System are instructions ahead of the conversation: text parts, in order. Those of
	// OpenAI's developer role are among them.
	System   []Part
	Messages []Message

	Tools      []Tool
	ToolChoice ToolChoice
	// ParallelTools is nil where the caller left it to the model.
	ParallelTools *bool

	Format Format
	// MaxOutput bounds output tokens, reasoning included; 0: not said.
	MaxOutput int64
	Reasoning Reasoning
	Sampling  Sampling
	// Stop sequences.
	Stop []string
	// N choices; 0 is 1.
	N int64
	// Logprobs asks for them; TopLogprobs alternatives of each token, 0 to 20.
	Logprobs    bool
	TopLogprobs int64

	// User is the caller's name for its end user.
	User string
	// ServiceTier as the caller wrote it.
	ServiceTier string
	// Metadata that the caller wants kept with the provider.
	Metadata map[string]string

	// Lossy names what the caller wrote and this model has no place for.
	Lossy Lossy
}

// Sampling are numbers as they were written ("0.70"), so that none is rounded; "": not said.
type Sampling struct {
	Temperature, TopP, TopK           string
	PresencePenalty, FrequencyPenalty string
	Seed                              string
}

// Role of a message.
type Role int

const (
	User Role = iota
	Assistant
	// Instruction is a system or developer message inside of the conversation.
	Instruction
)

// Message is one turn. Results of tools are parts of a User's turn, ahead of its others.
type Message struct {
	Role Role
	// Name that the caller gave the author.
	Name  string
	Parts []Part
}

// Kind of a Part.
type Kind int

const (
	Text Kind = iota
	// Image, Document and Audio have Media.
	Image
	Document
	Audio
	// Call has Call, Result has Result.
	Call
	Result
	// Thinking has Text and Signature; Redacted thinking has Data only. A provider's
	// own are sent back to it as they came.
	Thinking
	Redacted
	// Refusal is an assistant's text that declines.
	Refusal
)

// Part of a message or an answer; which fields it has follows from Kind.
type Part struct {
	Kind Kind
	Text string
	// Signature of a thinking or call part, and of a text part of Gemini's: opaque, kept
	// verbatim.
	Signature string
	// Data of a redacted part: opaque, kept verbatim.
	Data   string
	Media  *Media
	Call   *ToolCall
	Result *ToolResult
	// Cache marks the end of a prefix to cache; nil: no mark.
	Cache *CacheMark
}

// Media is by value or by reference.
type Media struct {
	// Type is a MIME type; empty with a URL whose type was not said.
	Type string
	// Data is base64, standard alphabet; empty: URL says where it is.
	Data string
	URL  string
	// Name of a document.
	Name string
	// Detail of an image: low, high, auto; empty: not said.
	Detail string
}

// ToolCall is a model's wish to call a tool.
type ToolCall struct {
	ID, Name string
	// Arguments are a JSON object as the model wrote it; in an answer it may be broken.
	Arguments string
}

// ToolResult is what a tool gave.
type ToolResult struct {
	// CallID says which call; Name of its tool where the dialect has it.
	CallID, Name string
	// Parts are text and media.
	Parts []Part
	// Failed: the tool failed.
	Failed bool
}

// CacheMark is Anthropic's cache_control. TTL is "5m", "1h" or empty: the provider's.
type CacheMark struct{ TTL string }

// Tool that the model may call.
type Tool struct {
	Name, Description string
	// Schema of the arguments, a JSON object as it was written; empty: none.
	Schema string
	// Strict: arguments must follow the schema; nil: not said.
	Strict *bool
	Cache  *CacheMark
}

// Choose says whether tools are called.
type Choose int

const (
	// Unsaid leaves it to the provider.
	Unsaid Choose = iota
	Auto
	Never
	Any
	// Named calls the tool with the choice's Name.
	Named
)

// ToolChoice is what the caller wants of tools.
type ToolChoice struct {
	Choose Choose
	Name   string
}

// Shape of an answer's text.
type Shape int

const (
	// Free text.
	Free Shape = iota
	// JSONObject is any JSON object; JSONSchema follows Format.Schema.
	JSONObject
	JSONSchema
)

// Format asks for structured output.
type Format struct {
	Shape             Shape
	Name, Description string
	// Schema is a JSON object as it was written.
	Schema string
	Strict *bool
}

// Reasoning asks for thinking.
type Reasoning struct {
	// Effort is none, minimal, low, medium, high, xhigh or max; empty: not said.
	Effort string
	// Budget in tokens; 0: not said; Unbounded: the model decides.
	Budget int64
	// Summary of the thinking is wanted in the answer.
	Summary bool
}

// Unbounded is a Reasoning.Budget that the model decides.
const Unbounded = -1
