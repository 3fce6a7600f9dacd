package anthropic

import "github.com/weirhq/weir/dataplane/internal/dialect"

// Messages is this dialect where both sides speak it.
type Messages struct{}

var (
	_ dialect.Dialect = Messages{}
	_ dialect.Teller  = Messages{}
)

var texts = [][]byte{[]byte(`"text"`), []byte(`"thinking"`), []byte(`"partial_json"`)}

// TextBytes is of text, thinking and input of tools.
func (Messages) TextBytes(data []byte) int64 { return dialect.TextIn(data, texts) }

// Parse is ParseRequest.
func (Messages) Parse(body []byte) (dialect.Request, *dialect.Refusal) {
	request, refusal := ParseRequest(body)
	return request, (*dialect.Refusal)(refusal)
}

// Answer is ParseAnswer.
func (Messages) Answer(body []byte) dialect.Answer { return ParseAnswer(body) }

// Look hides nothing: usage is a part of every stream. The stream's state is its Meter.
func (Messages) Look(s *dialect.Stream, data []byte) (hide bool) {
	if Finishes(data) {
		s.Finished++
	}
	if !Speaks(data) {
		return false
	}
	meter, begun := s.State.(*Meter)
	if !begun {
		meter = new(Meter)
		s.State = meter
	}
	s.Answer = meter.Look(data)
	s.Total = s.Answer.Usage != nil && s.Finished > 0
	return false
}

// Opens is Opens.
func (Messages) Opens(data []byte) bool { return Opens(data) }

// Done is Done.
func (Messages) Done(data []byte) bool { return Done(data) }

// Body is an Error's.
func (Messages) Body(r *dialect.Refusal) []byte { return (*Error)(r).Body() }

// Event is an Error's.
func (Messages) Event(r *dialect.Refusal) []byte { return (*Error)(r).Event() }
