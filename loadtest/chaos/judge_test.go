package chaos

import (
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/llmtest"
)

// scene is a run in which all went well: one request, its record, its boot.
type scene struct {
	ask   *ask
	bill  bill
	books *books
	full  spans
}

func newScene() *scene {
	t, began := &tenant{name: "alpha"}, time.Now()
	const marker, id, agent = "chaos-00000000000000000000000000000001", "request-1", "agent-1"
	return &scene{
		ask:  &ask{marker: marker, tenant: t, agent: agent, begun: began, ended: began.Add(time.Second), status: 200, id: id, whole: true, cost: "0.000000700"},
		bill: bill{asked: 1, nano: 700},
		books: &books{
			rows:   []row{{tenant: t, run: marker, request: id, agent: agent, boot: "b", seq: 1, outcome: "ok", priced: true, nano: 700, attempts: 1}},
			boots:  []boot{{tenant: t, agent: agent, boot: "b", last: 1, settled: 1, rows: 1, closed: true, complete: true, dense: 1, numbered: 1, highest: 1}},
			spends: []spend{{tenant: t, byDay: 700, byRow: 700, byAttempt: 700, requestsByDay: 1, requestsByRow: 1, attemptsByDay: 1, attemptsByRow: 1, attemptsByAttempt: 1}},
		},
	}
}

func (s *scene) crowd() { s.full = spans{s.ask.agent: {{s.ask.begun, s.ask.ended}}} }

// Each way in which usage can be wrong is found, and nothing else is.
func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*scene)
		want  string
	}{
		"all_is_well":                       {func(*scene) {}, ""},
		"lost":                              {func(s *scene) { s.books.rows = nil; s.bill.asked = 0 }, "a request that was answered has no record"},
		"lost_and_never_answered":           {func(s *scene) { s.books.rows = nil; s.ask.id = "" }, "a request that reached the provider has no record"},
		"lost_though_the_disk_was_full":     {func(s *scene) { s.books.rows = nil; s.crowd() }, "a request that reached the provider has no record"},
		"never_begun":                       {func(s *scene) { s.books.rows = nil; s.ask.id, s.bill.asked = "", 0 }, ""},
		"refused_for_a_full_spool":          {func(s *scene) { s.books.rows = nil; s.ask.code, s.bill.asked = "spool_full", 0 }, ""},
		"twice":                             {func(s *scene) { s.books.rows = append(s.books.rows, s.books.rows[0]) }, "a request has several records"},
		"of_nobody":                         {func(s *scene) { s.books.rows[0].run = "" }, "a record of a request that nobody sent"},
		"of_a_bad_key":                      {func(s *scene) { s.ask.badKey = true }, "a request without a valid key has a record"},
		"of_another_id":                     {func(s *scene) { s.books.rows[0].request = "request-2" }, "a record has another id than the answer"},
		"of_another_tenant":                 {func(s *scene) { s.books.rows[0].tenant = &tenant{name: "beta"} }, "a record is another organization's"},
		"a_nano_dollar_more":                {func(s *scene) { s.books.rows[0].nano, s.ask.cost = 701, "" }, "a cost is not what was billed"},
		"a_nano_dollar_less":                {func(s *scene) { s.books.rows[0].nano, s.ask.cost = 699, "" }, "a cost is not what was billed"},
		"told_another_cost":                 {func(s *scene) { s.ask.cost = "0.000000699" }, "the answer told another cost than the record"},
		"unpriced":                          {func(s *scene) { s.books.rows[0].priced = false }, "a cost is not known"},
		"estimated_above":                   {func(s *scene) { s.torn(); s.books.rows[0].nano = 9000 }, ""},
		"estimated_below":                   {func(s *scene) { s.torn(); s.books.rows[0].nano = 699 }, "an estimate is below what was billed"},
		"estimated_though_told":             {func(s *scene) { s.books.rows[0].estimated = true }, "a cost that the provider told is estimated"},
		"estimated_since_the_disk_was_full": {func(s *scene) { s.books.rows[0].estimated = true; s.crowd() }, ""},
		"estimated_since_usage_was_left_out": {func(s *scene) {
			s.books.rows[0].estimated = true
			s.ask.faults = []llmtest.Fault{{Kind: llmtest.NoUsage}}
		}, ""},
		"an_attempt_less":                    {func(s *scene) { s.bill.asked = 2 }, "an attempt is not recorded"},
		"good_and_recorded_as_torn":          {func(s *scene) { s.books.rows[0].outcome = "interrupted" }, "a good answer is recorded as another"},
		"a_hole":                             {func(s *scene) { s.books.boots[0].complete, s.books.boots[0].holes = false, 1 }, "completeness shows a boot that is not complete"},
		"dead_lettered":                      {func(s *scene) { s.books.boots[0].deadLettered = 1 }, "completeness shows a boot that is not complete"},
		"still_open":                         {func(s *scene) { s.books.boots[0].closed = false }, "a boot whose agent is gone is still open"},
		"completeness_does_not_see_a_double": {func(s *scene) { s.books.boots[0].numbered = 2 }, "completeness says complete, and the rows say otherwise"},
		"completeness_does_not_see_a_hole":   {func(s *scene) { s.books.boots[0].dense = 0 }, "completeness says complete, and the rows say otherwise"},
		"a_day_costs_more":                   {func(s *scene) { s.books.spends[0].byDay = 701 }, "sums differ"},
		"a_day_has_a_request_more":           {func(s *scene) { s.books.spends[0].requestsByDay = 2 }, "sums differ"},
		"attempts_cost_less":                 {func(s *scene) { s.books.spends[0].byAttempt = 699 }, "sums differ"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			c.spoil(s)
			found := judge([]*ask{s.ask}, func(string) bill { return s.bill }, s.books, s.full)
			var got string
			if len(found) > 0 {
				got = found[0].check
			}
			if got != c.want || len(found) > 2 {
				t.Errorf("found %v, want %q", found, c.want)
			}
		})
	}
}

// torn: the agent was killed while it answered.
func (s *scene) torn() {
	s.ask.whole, s.ask.cost = false, ""
	s.books.rows[0].outcome, s.books.rows[0].estimated = "interrupted", true
}

func TestCost_rounds_once_half_up(t *testing.T) {
	for model, c := range map[string]struct {
		tokens llmtest.Tokens
		want   int64
	}{
		"gpt-4o-mini":            {llmtest.Tokens{Input: 1, CachedInput: 1, Output: 1, Reasoning: 1}, 1425}, // 1,425,032 pico-dollars
		"text-embedding-3-small": {llmtest.Tokens{Input: 50}, 1001},                                         // 1,000,550
	} {
		if got, priced := cost(model, c.tokens); got != c.want || !priced {
			t.Errorf("%s: %d, %t, want %d", model, got, priced, c.want)
		}
	}
	if _, priced := cost("nobody's", llmtest.Tokens{}); priced {
		t.Error("a model without a price has one")
	}
}
