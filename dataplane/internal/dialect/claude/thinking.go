package claude

import (
	"cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// minBudget is the least that a budget can be.
// Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking
const minBudget = 1024

// Thinking is how a request's reasoning is asked for.
type Thinking struct {
	// On: there is some; Off: it is disabled; neither: not said.
	On, Off bool
	// Budget in tokens; 0: adaptive.
	Budget int64
	// Effort of the answer; empty: none.
	Effort string
}

// asked is a request whose thinking is decided.
type asked struct {
	*chat.Request
	generation Generation
	always     bool
	forced     bool
	lossy      chat.Lossy
}

// Think decides how a request asks for thinking, and names what of it can't be. forced: a
// tool must be called.
func Think(r *chat.Request, forced bool) (Thinking, chat.Lossy) {
	q := asked{Request: r, generation: Of(r.Model), always: AlwaysThinks(r.Model), forced: forced}
	t := q.think()
	return t, q.lossy
}

// effortBudgets are what efforts become for models that know budgets only. They are
// this gateway's choice; the provider publishes none.
var effortBudgets = map[string]int64{
	"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 24_576, "max": 31_999,
}

// think decides. A model that only adapts gets no budget, one that only has budgets no
// effort.
func (q *asked) think() Thinking {
	r := &q.Reasoning
	var t Thinking
	switch {
	case r.Effort == "none" && q.always:
		q.lossy.Add("reasoning.effort")
		return t
	case r.Effort == "none":
		return Thinking{Off: true}
	case r.Budget > 0 && q.generation.Budgets():
		t = Thinking{On: true, Budget: r.Budget}
		if q.generation.Adapts() {
			t.Effort = q.effort()
		} else if r.Effort != "" {
			q.lossy.Add("reasoning.effort")
		}
	case q.generation.Adapts():
		t = Thinking{On: r.Budget != 0 || r.Effort != "", Effort: q.effort()}
		if r.Budget > 0 {
			q.lossy.Add("reasoning.budget")
		}
	case r.Budget == chat.Unbounded || effortBudgets[r.Effort] > 0:
		t = Thinking{On: true, Budget: effortBudgets[cmp.Or(r.Effort, "medium")]}
	}
	return q.fit(t)
}

// effort has no word for minimal.
func (q *asked) effort() string {
	if q.Reasoning.Effort == "minimal" {
		q.lossy.Add("reasoning.effort")
		return "low"
	}
	return q.Reasoning.Effort
}

// fit makes a budget one that the provider takes, and leaves thinking out where it
// refuses it: with a tool that must be called, and in the middle of a turn that did not
// begin with thinking.
func (q *asked) fit(t Thinking) Thinking {
	if !t.On {
		return t
	}
	if t.Budget > 0 {
		if t.Budget < minBudget {
			q.lossy.Add("reasoning.budget")
			t.Budget = minBudget
		}
		if q.MaxOutput > 0 && t.Budget >= q.MaxOutput && q.Reasoning.Budget <= 0 {
			t.Budget = q.MaxOutput - 1
		}
	}
	if q.forced || t.Budget > 0 && (t.Budget < minBudget || q.midTurn()) {
		q.lossy.Add("reasoning.effort")
		t.On, t.Budget = false, 0
	}
	return t
}

// midTurn: the last assistant turn calls tools without having thought.
func (q *asked) midTurn() bool {
	for i := len(q.Messages) - 1; i >= 0; i-- {
		if q.Messages[i].Role != chat.Assistant {
			continue
		}
		for _, part := range q.Messages[i].Parts {
			if part.Kind == chat.Redacted || part.Kind == chat.Thinking && part.Signature != "" {
				return false
			}
			if part.Kind == chat.Call {
				return true
			}
		}
		return false
	}
	return false
}
