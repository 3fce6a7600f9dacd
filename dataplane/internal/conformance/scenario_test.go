package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/weirhq/weir/dataplane/llmtest"
)

// tokens of an answer that is not cut.
const tokens = 20

type scenario struct {
	name string
	run  func(*cell)
}

var scenarios = []scenario{
	{"text", (*cell).text}, {"turns", (*cell).turns}, {"tool", (*cell).tool}, {"parallel_tools", (*cell).parallel},
	{"image", (*cell).image}, {"pdf", (*cell).pdf}, {"schema", (*cell).schema}, {"thinking", (*cell).thinking},
	{"stop", (*cell).sequence}, {"max_tokens", (*cell).short},
	{"invalid", (*cell).invalid}, {"unknown_key", (*cell).unknownKey}, {"unknown_route", (*cell).unknownRoute},
	{"statuses", (*cell).statuses}, {"retried", (*cell).retried}, {"midway", (*cell).midway},
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
	if !strings.Contains(string(c.last().Body), said("how much")) {
		c.Errorf("the first answer did not go back: %s", c.last().Body)
	}
}

// calls are those of an answer, without their ids.
func (c *cell) called(a answer, want ...call) {
	c.Helper()
	var got []call
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
func (c *cell) through(talk talk, want ...call) {
	c.Helper()
	first, got := c.ask(talk, "")
	declared := map[string]string{}
	for _, tool := range talk.Tools {
		declared[tool.Name] = canonical(c.T, string(tool.Schema))
	}
	same(c, "tools", declared, got.Tools)
	c.called(first, want...)
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
	a, got := c.ask(talk, "")
	same(c, "calls sent back", calls, got.Calls)
	same(c, "results", results, got.Results)
	same(c, "text", said(""), a.Text)
	c.stopped(a, ended)
}

func (c *cell) tool() {
	c.through(talk{Max: 100, Turns: []turn{user("call level please")}, Tools: []tool{level, flow}}, call{"", "level", levelArguments})
}

func (c *cell) parallel() {
	c.through(talk{Max: 100, Turns: []turn{user("call level and flow")}, Tools: []tool{level, flow}},
		call{"", "level", levelArguments}, call{"", "flow", flowArguments})
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
	same(c, "answer", levelArguments, canonical(c.T, a.Text))
	c.stopped(a, ended)
}

// thinking goes back with a call that came of it, as providers demand.
func (c *cell) thinking() {
	asked := talk{Max: 4000, Turns: []turn{user("call level please")}, Tools: []tool{level}, Think: true}
	lossy := ""
	if !c.provider.shows {
		lossy = c.speaker.display
	}
	first, _ := c.ask(asked, lossy)
	c.called(first, call{"", "level", levelArguments})
	if (first.Thinking != "") != c.provider.shows || (first.Signature != "") != c.provider.signs {
		c.Errorf("thinking %q, signature %q", first.Thinking, first.Signature)
	}
	if reasoning := c.mock.Ledger().Total.Tokens.Reasoning; reasoning == 0 {
		c.Error("upstream did not know that it should think")
	}
	back := turn{Results: []result{{first.Calls[0].ID, "level", "7.5"}}}
	asked.Turns = append(asked.Turns, turn{Answer: first.Again}, back)
	a, got := c.ask(asked, lossy)
	var want []string
	switch {
	case c.provider.signs:
		want = []string{first.Signature}
	case c.provider.shows:
		want = []string{first.Thinking}
	}
	same(c, "thinking sent back", want, got.Thinking)
	same(c, "text", said(""), a.Text)
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
