package chat

// Events are the steps of a stream that says what the answer does.
func (a *Answer) Events() []Event {
	events := []Event{{Begin: &Begin{ID: a.ID, Model: a.Model, Created: a.Created}}}
	for i := range a.Choices {
		choice := &a.Choices[i]
		for j := range choice.Parts {
			events = choice.Parts[j].replay(events, i, j)
		}
		if choice.Logprobs != "" {
			events = choice.replayLogprobs(events, i)
		}
		events = append(events, Event{End: &End{Choice: i, Stop: choice.Stop, Sequence: choice.Sequence}})
	}
	if a.Usage.Tokens != nil {
		events = append(events, Event{Usage: &a.Usage})
	}
	return events
}

// replay opens the part, says what it has in one delta, and closes it.
func (p *Part) replay(events []Event, choice, index int) []Event {
	begun, delta := *p, Delta{Choice: choice, Index: index}
	switch p.Kind {
	case Text, Thinking, Refusal:
		delta.Text, delta.Signature = p.Text, p.Signature
		begun.Text, begun.Signature = "", ""
	case Call:
		call := *p.Call
		delta.Arguments, delta.Signature = call.Arguments, p.Signature
		call.Arguments, begun.Signature = "", ""
		begun.Call = &call
	default: // comes whole
	}
	events = append(events, Event{Open: &Open{Choice: choice, Index: index, Part: begun}})
	if delta != (Delta{Choice: choice, Index: index}) {
		events = append(events, Event{Delta: &delta})
	}
	return append(events, Event{Close: &Close{Choice: choice, Index: index}})
}

// replayLogprobs puts them beside the choice's first text.
func (c *Choice) replayLogprobs(events []Event, choice int) []Event {
	for i := range events {
		if d := events[i].Delta; d != nil && d.Choice == choice && d.Text != "" {
			d.Logprobs = c.Logprobs
			break
		}
	}
	return events
}
