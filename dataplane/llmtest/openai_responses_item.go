package llmtest

import (
	"fmt"
	"strings"
)

// responseItem is one of a response's output: kind message, refusal (a message, too), reasoning or function_call.
type responseItem struct {
	kind, id, status string
	// call and name are of a function_call.
	call, name string
	// pieces are its text, or arguments, as they are streamed: a token each.
	pieces []string
	// summarized: reasoning is shown. sealed is its encrypted content, if that was asked for.
	summarized bool
	sealed     string
}

func (i *responseItem) text() string { return strings.Join(i.pieces, "") }

func (i *responseItem) shown() bool { return i.kind != "reasoning" || i.summarized }

// tokens are what a piece of it costs.
func (i *responseItem) tokens(pieces int) Tokens {
	if i.kind == "reasoning" {
		return Tokens{Reasoning: int64(pieces)}
	}
	return Tokens{Output: int64(pieces)}
}

// object is the item with as much of its content.
func (i *responseItem) object(status, text, parts string) string {
	switch i.kind {
	case "reasoning":
		sealed := ""
		if i.sealed != "" {
			sealed = fmt.Sprintf(`"encrypted_content":%q,`, i.sealed)
		}
		return fmt.Sprintf(`{"id":%q,"type":"reasoning",%s"summary":[%s]}`, i.id, sealed, parts)
	case "function_call":
		return fmt.Sprintf(`{"id":%q,"type":"function_call","status":%q,"arguments":%s,"call_id":%q,"name":%s}`, i.id, status, quote(text), i.call, quote(i.name))
	}
	return fmt.Sprintf(`{"id":%q,"type":"message","status":%q,"content":[%s],"role":"assistant"}`, i.id, status, parts)
}

func (i *responseItem) begun() string { return i.object("in_progress", "", "") }

func (i *responseItem) whole() string {
	if !i.shown() {
		return i.begun()
	}
	return i.object(i.status, i.text(), i.part(i.text()))
}

// part is where the text is inside of an item.
func (i *responseItem) part(text string) string {
	switch i.kind {
	case "reasoning":
		return fmt.Sprintf(`{"type":"summary_text","text":%s}`, quote(text))
	case "refusal":
		return fmt.Sprintf(`{"type":"refusal","refusal":%s}`, quote(text))
	}
	return fmt.Sprintf(`{"type":"output_text","annotations":[],"logprobs":[],"text":%s}`, quote(text))
}

// itemEvents is how the text of a kind of item is streamed: the events of a part, if it has
// parts, and of a text, whose field has all of it in the end.
type itemEvents struct{ part, text, field, place, rest string }

var eventsOfItem = map[string]itemEvents{
	"message":       {"response.content_part", "response.output_text", "text", `,"content_index":0`, `,"logprobs":[]`},
	"refusal":       {"response.content_part", "response.refusal", "refusal", `,"content_index":0`, ""},
	"reasoning":     {"response.reasoning_summary_part", "response.reasoning_summary_text", "text", `,"summary_index":0`, ""},
	"function_call": {"", "response.function_call_arguments", "arguments", "", ""},
}

// events are all but the last.
func (p *responsePlan) events() []plannedEvent {
	begun := `,"response":` + p.response("in_progress", false)
	events := []plannedEvent{{raw: p.event("response.created", begun)}, {raw: p.event("response.in_progress", begun)}}
	for index := range p.items {
		item := &p.items[index]
		at := fmt.Sprintf(`,"output_index":%d,"item":`, index)
		events = append(events, plannedEvent{raw: p.event("response.output_item.added", at+item.begun())})
		var unseen Tokens
		if item.shown() {
			events = append(events, p.textEvents(index)...)
		} else {
			unseen = item.tokens(len(item.pieces))
		}
		events = append(events, plannedEvent{raw: p.event("response.output_item.done", at+item.whole()), tokens: unseen})
	}
	return events
}

func (p *responsePlan) textEvents(index int) (events []plannedEvent) {
	item := &p.items[index]
	names := eventsOfItem[item.kind]
	if names.part != "" {
		events = append(events, plannedEvent{raw: p.within(names.part+".added", index, `,"part":`+item.part(""))})
	}
	for _, piece := range item.pieces {
		events = append(events, plannedEvent{raw: p.within(names.text+".delta", index, `,"delta":`+string(quote(piece))+names.rest), tokens: item.tokens(1)})
	}
	done := fmt.Sprintf(`,"%s":%s%s`, names.field, quote(item.text()), names.rest)
	if item.kind == "function_call" {
		done += `,"name":` + string(quote(item.name))
	}
	events = append(events, plannedEvent{raw: p.within(names.text+".done", index, done)})
	if names.part != "" {
		events = append(events, plannedEvent{raw: p.within(names.part+".done", index, `,"part":`+item.part(item.text()))})
	}
	return events
}

func (p *responsePlan) event(kind, rest string) []byte {
	p.sequence++
	return event(kind, fmt.Sprintf(`,"sequence_number":%d%s`, p.sequence-1, rest))
}

func (p *responsePlan) within(kind string, index int, rest string) []byte {
	item := &p.items[index]
	return p.event(kind, fmt.Sprintf(`,"item_id":%q,"output_index":%d%s%s`, item.id, index, eventsOfItem[item.kind].place, rest))
}

// seal is how the mock knows the reasoning of one of its answers again.
func seal(answer, summary string) string { return answer + "." + sign(answer+" "+summary) }

func opens(sealed, summary string) bool {
	answer, _, _ := strings.Cut(sealed, ".")
	return sealed == seal(answer, summary)
}

const itemID = "%s_%048d%02d"

// ownItem tells whether an id of reasoning has the form of the mock's.
func ownItem(id string) bool {
	digits, ours := strings.CutPrefix(id, "rs_")
	return ours && len(digits) == 50 && strings.Trim(digits, "0123456789") == ""
}
