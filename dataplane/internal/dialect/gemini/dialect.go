package gemini

import "github.com/weirhq/weir/dataplane/internal/dialect"

// Generate is this dialect where both sides speak it. Model and Stream of a request are in
// its path.
type Generate struct{}

var (
	_ dialect.Dialect = Generate{}
	_ dialect.Teller  = Generate{}
)

var texts = [][]byte{[]byte(`"text"`)}

// TextBytes is of text and thoughts; calls come whole, with usage beside them.
func (Generate) TextBytes(data []byte) int64 { return dialect.TextIn(data, texts) }

// Parse is ParseRequest.
func (Generate) Parse(body []byte) (dialect.Request, *dialect.Refusal) {
	request, e := ParseRequest(body)
	if e != nil {
		return request, &dialect.Refusal{Status: e.Status, Code: e.Code, Param: e.Param, Message: e.Message}
	}
	return request, nil
}

// Answer is ParseAnswer.
func (Generate) Answer(body []byte) dialect.Answer { return ParseAnswer(body) }

// Look hides nothing. What each chunk says of usage is what it is so far.
func (Generate) Look(s *dialect.Stream, data []byte) (hide bool) {
	s.Finished += int64(Finishes(data))
	if !Speaks(data) {
		return false
	}
	said := ParseAnswer(data)
	said.Failed = said.Failed || s.Answer.Failed
	said.Unpriced = said.Unpriced || s.Answer.Unpriced
	if said.Usage == nil {
		said.Usage, said.UsageSHA256, said.ServiceTier = s.Answer.Usage, s.Answer.UsageSHA256, s.Answer.ServiceTier
	}
	s.Answer = said
	s.Total = said.Usage != nil && s.Finished >= max(s.Request.Choices, 1)
	return false
}

// Opens is Opens.
func (Generate) Opens(data []byte) bool { return Opens(data) }

// Done is Done.
func (Generate) Done(data []byte) bool { return Done(data) }

// Body is an Error's.
func (Generate) Body(r *dialect.Refusal) []byte { return fromRefusal(r).Body() }

// Event is an Error's.
func (Generate) Event(r *dialect.Refusal) []byte { return fromRefusal(r).Event() }

// Embed is Generate for requests whose answers are vectors.
type Embed struct{ Generate }

var _ dialect.Dialect = Embed{}

// Parse is ParseRequest.
func (Embed) Parse(body []byte) (dialect.Request, *dialect.Refusal) {
	request, refusal := Generate{}.Parse(body)
	request.NoOutput, request.Caps = true, dialect.Caps{}
	return request, refusal
}

func fromRefusal(r *dialect.Refusal) *Error {
	return &Error{Status: r.Status, Code: r.Code, Param: r.Param, Message: r.Message}
}
