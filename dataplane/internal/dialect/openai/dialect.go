package openai

import "github.com/weirhq/weir/dataplane/internal/dialect"

// Chat is chat completions where both sides speak it.
type Chat struct{}

var (
	_ dialect.Dialect = Chat{}
	_ dialect.Teller  = Chat{}
)

// texts are the names of what chats and completions say.
var texts = [][]byte{[]byte(`"content"`), []byte(`"text"`), []byte(`"reasoning_content"`), []byte(`"reasoning"`), []byte(`"refusal"`), []byte(`"arguments"`)}

// TextBytes is of all choices.
func (Chat) TextBytes(data []byte) int64 { return dialect.TextIn(data, texts) }

// Parse is ParseRequest.
func (Chat) Parse(body []byte) (dialect.Request, *dialect.Refusal) {
	request, refusal := ParseRequest(body)
	return request, (*dialect.Refusal)(refusal)
}

// Answer is ParseAnswer.
func (Chat) Answer(body []byte) dialect.Answer { return ParseAnswer(body).Answer }

// Look hides the usage event that the caller did not ask for.
func (Chat) Look(s *dialect.Stream, data []byte) (hide bool) {
	if s.Total && !Done(data) && !Finishes(data) && !Opens(data) {
		s.Total = false // the answer goes on behind what was said of it
	}
	if Finishes(data) {
		s.Finished++
	}
	if !Speaks(data) {
		return false
	}
	said := ParseAnswer(data)
	s.Answer.Failed = s.Answer.Failed || said.Failed
	if said.Usage == nil {
		return false
	}
	s.Answer.Usage, s.Answer.UsageSHA256, s.Answer.ServiceTier = said.Usage, said.UsageSHA256, said.ServiceTier
	s.Total = s.Finished >= max(s.Request.Choices, 1) || said.NoChoices
	asked := s.Request.AsksUsage || !s.Request.Stream
	return said.NoChoices && !asked
}

// Opens is Opens.
func (Chat) Opens(data []byte) bool { return Opens(data) }

// Done is Done.
func (Chat) Done(data []byte) bool { return Done(data) }

// Body is an Error's.
func (Chat) Body(r *dialect.Refusal) []byte { return (*Error)(r).Body() }

// Event is an Error's.
func (Chat) Event(r *dialect.Refusal) []byte { return (*Error)(r).Event() }
