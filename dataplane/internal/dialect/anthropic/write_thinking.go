package anthropic

import (
	"cmp"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// minBudget is the least that a budget can be.
// Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking
const minBudget = 1024

// thinking is how a request's reasoning is asked for.
type thinking struct {
	// on: there is some; off: it is disabled; neither: not said.
	on, off bool
	// budget in tokens; 0: adaptive.
	budget int64
	// effort that goes into output_config; empty: none.
	effort string
}

// effortBudgets are what efforts become for models that know budgets only. They are
// this gateway's choice; the provider publishes none.
var effortBudgets = map[string]int64{
	"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 24_576, "max": 31_999,
}

// think decides. A model that only adapts gets no budget, one that only has budgets no
// effort.
func (q *request) think() thinking {
	r := &q.Reasoning
	var t thinking
	switch {
	case r.Effort == "none" && q.always:
		q.lossy.Add("reasoning.effort")
		return t
	case r.Effort == "none":
		return thinking{off: true}
	case r.Budget > 0 && q.generation.budgets():
		t = thinking{on: true, budget: r.Budget}
		if q.generation.adapts() {
			t.effort = q.effort()
		} else if r.Effort != "" {
			q.lossy.Add("reasoning.effort")
		}
	case q.generation.adapts():
		t = thinking{on: r.Budget != 0 || r.Effort != "", effort: q.effort()}
		if r.Budget > 0 {
			q.lossy.Add("reasoning.budget")
		}
	case r.Budget == chat.Unbounded || effortBudgets[r.Effort] > 0:
		t = thinking{on: true, budget: effortBudgets[cmp.Or(r.Effort, "medium")]}
	}
	return q.fit(t)
}

// effort has no word for minimal.
func (q *request) effort() string {
	if q.Reasoning.Effort == "minimal" {
		q.lossy.Add("reasoning.effort")
		return "low"
	}
	return q.Reasoning.Effort
}

// fit makes a budget one that the provider takes, and leaves thinking out where it
// refuses it: with a tool that must be called, and in the middle of a turn that did not
// begin with thinking.
func (q *request) fit(t thinking) thinking {
	if !t.on {
		return t
	}
	forced := q.choice.Choose == chat.Any || q.choice.Choose == chat.Named
	if t.budget > 0 {
		if t.budget < minBudget {
			q.lossy.Add("reasoning.budget")
			t.budget = minBudget
		}
		if q.MaxOutput > 0 && t.budget >= q.MaxOutput && q.Reasoning.Budget <= 0 {
			t.budget = q.MaxOutput - 1
		}
	}
	if forced || t.budget > 0 && (t.budget < minBudget || q.midTurn()) {
		q.lossy.Add("reasoning.effort")
		t.on, t.budget = false, 0
	}
	return t
}

// midTurn: the last assistant turn calls tools without having thought.
func (q *request) midTurn() bool {
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

func (q *request) writeThinking() {
	t := &q.thinking
	if !t.on && !t.off {
		return
	}
	q.raw("thinking", "{")
	switch {
	case t.off:
		q.text("type", "disabled")
	case t.budget > 0:
		q.text("type", "enabled")
		q.raw("budget_tokens", strconv.FormatInt(t.budget, 10))
	default:
		q.text("type", "adaptive")
	}
	if t.on && q.Reasoning.Summary {
		q.text("display", "summarized")
	}
	q.close('}')
}
