package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/quota"
)

// Past is how a window ended.
type Past struct {
	// Window by its id and bounds; of rolling windows it is a sub-window.
	Window string
	Span   quota.Span
	// Limit is all that could be spent in it, with CarriedOver, as it was when an agent asked
	// last; of rolling windows the amount.
	Limit, CarriedOver, Spent, Overrun, WrittenOff int64
	// Unsettled is what agents held and did not settle.
	Unsettled int64
}

// History has the windows of a quota, or of a subject that it counts apart, that are over and
// in which agents asked for something, the latest first. after is the id of the window that the
// page before ended with; empty: the first page. next is empty at the end.
func (r *Reader) History(ctx context.Context, organization, id uuid.UUID, subject, after string, size int) (page []Past, next string, err error) {
	if !storable(subject) || !storable(after) {
		return nil, "", nil
	}
	now := r.now()
	err = r.store.look(ctx, organization, func(v view) error {
		quotas, err := v.quotas(ctx)
		if err != nil {
			return err
		}
		q, on := quotas[id]
		asked := pastOf{series{id, subject}, after, now}
		if after == "" {
			if asked.before, err = q.over(on, now); err != nil {
				return err
			}
		}
		found, err := v.past(ctx, []pastOf{asked}, size+1)
		if len(found) > size {
			found = found[:size]
			next = found[size-1].window
		}
		for _, a := range found {
			page = append(page, a.past(on && q.window.Rolling != nil))
		}
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("history of quota %s: %w", id, err)
	}
	return page, next, nil
}

// over is what the names of all windows sort before that are over.
func (q bound) over(on bool, now time.Time) (string, error) {
	if !on || q.shares || q.window.Lifetime {
		return now.UTC().Format(time.RFC3339), nil // of windows that it had
	}
	span, err := q.span(now)
	if err != nil {
		return "", err
	}
	return q.shown(span).Start.UTC().Format(time.RFC3339), nil
}

func (a *account) past(rolling bool) Past {
	p := Past{
		Window: a.window, Span: a.span, Limit: a.room, CarriedOver: a.carried, Spent: a.spent, Overrun: a.overrun,
		WrittenOff: a.writtenOff, Unsettled: a.held,
	}
	if rolling { // its room is what the others had left
		p.Limit = a.amount
	}
	return p
}
