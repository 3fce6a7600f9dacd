package anthropic

import (
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/claude"
)

func (q *request) think() {
	forced := q.choice.Choose == chat.Any || q.choice.Choose == chat.Named
	thinking, lossy := claude.Think(q.Request, forced)
	for _, field := range lossy {
		q.lossy.Add(field)
	}
	q.thinking = thinking
}

func (q *request) writeThinking() {
	t := &q.thinking
	if !t.On && !t.Off {
		return
	}
	q.raw("thinking", "{")
	switch {
	case t.Off:
		q.text("type", "disabled")
	case t.Budget > 0:
		q.text("type", "enabled")
		q.raw("budget_tokens", strconv.FormatInt(t.Budget, 10))
	default:
		q.text("type", "adaptive")
	}
	if t.On && q.Reasoning.Summary {
		q.text("display", "summarized")
	}
	q.close('}')
}
