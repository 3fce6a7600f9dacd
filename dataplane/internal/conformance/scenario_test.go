package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/weirhq/weir/dataplane/llmtest"
)

// tokens of an answer that is not cut.
const tokens = 20

type scenario struct {
	name string
	run  func(*cell)
	// once: not streamed, too.
	once bool
}

var scenarios = []scenario{
	{name: "text", run: (*cell).text}, {name: "turns", run: (*cell).turns}, {name: "tool", run: (*cell).tool}, {name: "parallel_tools", run: (*cell).parallel},
	{name: "image", run: (*cell).image}, {name: "pdf", run: (*cell).pdf}, {name: "schema", run: (*cell).schema}, {name: "thinking", run: (*cell).thinking},
	{name: "stop", run: (*cell).sequence}, {name: "max_tokens", run: (*cell).short},
	{name: "invalid", run: (*cell).invalid}, {name: "unknown_key", run: (*cell).unknownKey}, {name: "unknown_route", run: (*cell).unknownRoute},
	{name: "statuses", run: (*cell).statuses}, {name: "retried", run: (*cell).retried, once: true}, {name: "midway", run: (*cell).midway},
}

var (
	level = tool{"level", "the level at a gauge", json.RawMessage(`{"type":"object","properties":{"gauge":{"type":"string","description":"its name"},"metres":{"type":"number"}},"required":["gauge","metres"],"additionalProperties":false}`)}
	flow  = tool{"flow", "what passes", json.RawMessage(`{"type":"object","properties":{"at":{"type":"object","properties":{"weir":{"type":"string","enum":["upper","lower"]}},"required":["weir"],"additionalProperties":false}},"required":["at"],"additionalProperties":false}`)}

	levelArguments = `{"gauge":"the weir","metres":7.5}`
	flowArguments  = `{"at":{"weir":"upper"}}`
)

func user(text string) turn { return turn{Text: text} }

// said is what the mocks answer.
func said(text string) string { return llmtest.Answer(text, 0, tokens) }

func (c *cell) text() {
	a, got := c.ask(talk{Max: 100, Turns: []turn{user("how much water passed")}}, "")
	same(c, "text", said("how much water passed"), a.Text)
	same(c, "users", []string{"how much water passed"}, got.Users)
	c.stopped(a, ended)
}

func (c *cell) turns() {
	first, _ := c.ask(talk{Max: 100, System: "be exact", Turns: []turn{user("how much")}}, "")
	a, got := c.ask(talk{Max: 100, System: "be exact", Turns: []turn{user("how much"), {Answer: first.Again}, user("and now")}}, "")
	same(c, "text", said("and now"), a.Text)
	same(c, "system", "be exact", got.System)
	same(c, "users", []string{"how much", "and now"}, got.Users)
	same(c, "what was said before", said("how much"), got.Said)
}

// fill is what the mock makes of a tool's schema when it says this text.
func (c *cell) fill(tool, text string) string {
	if c.provider.fills != nil {
		return c.provider.fills(tool, text)
	}
	return map[string]string{"level": levelArguments, "flow": flowArguments}[tool]
}

// called compares the calls of an answer, but for their ids.
func (c *cell) called(a answer, asked string, names ...string) {
	c.Helper()
	var want, got []call
	word, _, _ := strings.Cut(said(asked), " ")
	for _, name := range names {
		want = append(want, call{"", name, c.fill(name, word)})
	}
	ids := map[string]bool{"": true}
	for _, made := range a.Calls {
		if ids[made.ID] {
			c.Errorf("two calls, or none, have the id %q", made.ID)
		}
		ids[made.ID] = true
		got = append(got, call{"", made.Name, canonical(c.T, made.Arguments)})
	}
	same(c, "calls", want, got)
	c.stopped(a, toCall)
}

// through runs a conversation in which tools are called.
func (c *cell) through(talk talk, names ...string) {
	c.Helper()
	first, got := c.ask(talk, list(c.lax(), c.unsigned()))
	declared := map[string]string{}
	for _, tool := range talk.Tools {
		declared[tool.Name] = canonical(c.T, string(tool.Schema))
	}
	same(c, "tools", declared, got.Tools)
	c.called(first, talk.Turns[0].Text, names...)
	text := ""
	if c.provider.speaks {
		text = said(talk.Turns[0].Text)
	}
	same(c, "text", text, first.Text)
	back, results := turn{}, map[string]string{}
	var calls []call
	for _, made := range first.Calls {
		back.Results = append(back.Results, result{made.ID, made.Name, "result of " + made.Name})
		results[made.ID] = "result of " + made.Name
		calls = append(calls, call{made.ID, made.Name, canonical(c.T, made.Arguments)})
	}
	talk.Turns = append(talk.Turns, turn{Answer: first.Again}, back)
	a, got := c.ask(talk, c.lax())
	same(c, "calls sent back", calls, got.Calls)
	same(c, "results", results, got.Results)
	same(c, "text", said(""), a.Text)
	c.stopped(a, ended)
}

// unsigned is what X-Weir-Lossy says of a signed call where the SDK has no place for that.
// A stream's header was sent before.
func (c *cell) unsigned() string {
	if c.provider.callSigned && !c.stream {
		return c.speaker.callSignature
	}
	return ""
}

// lax is what X-Weir-Lossy says of tools that should be strict.
func (c *cell) lax() string {
	if c.provider.lax {
		return c.speaker.strict
	}
	return ""
}

// list is what X-Weir-Lossy says of several.
func list(names ...string) string {
	return strings.Join(slices.DeleteFunc(names, func(name string) bool { return name == "" }), ",")
}

func (c *cell) tool() {
	c.through(talk{Max: 100, Turns: []turn{user("call level please")}, Tools: []tool{level, flow}}, "level")
}

func (c *cell) parallel() {
	c.through(talk{Max: 100, Turns: []turn{user("call level and flow")}, Tools: []tool{level, flow}}, "level", "flow")
}

// A picture of one pixel, and a document of no page.
var (
	pixel, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
	page     = []byte("%PDF-1.4\n%%EOF\n")
)

func (c *cell) image() { c.media(turn{Text: "what is it", Image: pixel}, "image/png", pixel) }
func (c *cell) pdf()   { c.media(turn{Text: "what is it", PDF: page}, "application/pdf", page) }

func (c *cell) media(shown turn, kind string, data []byte) {
	c.Helper()
	a, got := c.ask(talk{Max: 100, Turns: []turn{shown}}, "")
	same(c, "text", said(shown.Text), a.Text)
	same(c, "users", []string{shown.Text}, got.Users)
	same(c, "media", []string{kind + " " + base64.StdEncoding.EncodeToString(data)}, got.Media)
}

func (c *cell) schema() {
	a, got := c.ask(talk{Max: 100, Turns: []turn{user("how high")}, Schema: level.Schema}, "")
	same(c, "schema", canonical(c.T, string(level.Schema)), got.Schema)
	same(c, "answer", c.fill("level", said("how high")), canonical(c.T, a.Text))
	c.stopped(a, ended)
	_, got = c.ask(talk{Max: 100, Turns: []turn{user("how high"), {Answer: a.Again}, user("sure")}}, "")
	same(c, "what was said before", canonical(c.T, a.Text), canonical(c.T, got.Said))
}

// thinking goes back with a call that came of it, as providers demand.
func (c *cell) thinking() {
	asked := talk{Max: 4000, Turns: []turn{user("call level please")}, Tools: []tool{level}, Think: true}
	lossy, shown := "", c.provider.shows == always
	switch {
	case c.speaker.passesThinking(&c.provider):
		shown = true
	case c.provider.shows == never:
		lossy = c.speaker.display
	case c.provider.shows == whenAsked && c.speaker.display != "":
		lossy, shown = c.speaker.effort, true
	}
	lossy = list(c.lax(), lossy)
	first, _ := c.ask(asked, list(lossy, c.unsigned()))
	c.called(first, asked.Turns[0].Text, "level")
	signed := c.provider.signs || c.speaker.passesThinking(&c.provider) || c.speaker.opaque && first.Signature != ""
	if (first.Thinking != "") != shown || (first.Signature != "") != signed {
		c.Errorf("thinking %q, signature %q", first.Thinking, first.Signature)
	}
	if reasoning := c.mock.Ledger().Total.Tokens.Reasoning; reasoning == 0 {
		c.Error("upstream did not know that it should think")
	}
	back := turn{Results: []result{{first.Calls[0].ID, "level", "7.5"}}}
	asked.Turns = append(asked.Turns, turn{Answer: first.Again}, back)
	a, got := c.ask(asked, lossy)
	if c.provider.signs && c.speaker.opaque { // the mock takes its own signatures only
		same(c, "thinking sent back", 1, len(got.Thinking))
	} else {
		same(c, "thinking sent back", c.signatures(first), got.Thinking)
	}
	same(c, "text", said(""), a.Text)
}

// signatures are what has to go back of an answer that thought and called level.
func (c *cell) signatures(a answer) []string {
	switch {
	case c.provider.signs, c.speaker.passesThinking(&c.provider):
		return []string{a.Signature}
	case c.provider.callSigned && c.speaker.callSignature == "":
		return []string{base64.StdEncoding.EncodeToString([]byte("signed level"))}
	case c.provider.callSigned:
		return []string{"skip_thought_signature_validator"} // Google's word for a lost one
	case c.provider.shows == always:
		return []string{a.Thinking}
	}
	return nil
}

func (c *cell) sequence() {
	words := strings.Fields(said("when"))
	lossy := ""
	if c.provider.sequences && !c.stream { // a stream's header was sent before
		lossy = c.speaker.sequence
	}
	a, got := c.ask(talk{Max: 100, Turns: []turn{user("when")}, Stop: []string{"never", " " + words[3]}}, lossy)
	same(c, "stop", []string{"never", " " + words[3]}, got.Stop)
	same(c, "text", strings.Join(words[:3], " "), a.Text)
	if c.provider.sequences && c.speaker.sequence == "" {
		c.stopped(a, onSequence)
		same(c, "sequence", " "+words[3], a.Sequence)
	} else if a.Stop != c.speaker.stops[ended] {
		c.Errorf("stopped for %q", a.Stop)
	}
}

func (c *cell) short() {
	a, _ := c.ask(talk{Max: 3, Turns: []turn{user("how long")}}, "")
	same(c, "text", llmtest.Answer("how long", 0, 3), a.Text)
	c.stopped(a, cutShort)
}
