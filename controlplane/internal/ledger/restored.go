package ledger

import (
	"context"

	"github.com/google/uuid"
)

// await notes who tells what it holds after a restore, and finds out whether everybody
// did. The first answer to each agent says of every quota that the ledger was restored:
// an agent tells all of its holdings after that, and counts from its next call on. calm
// is the epoch of the last restore that nobody is waited for any more.
func (b *book) await(ctx context.Context, t tx, calm int64) error {
	r := b.state.restored
	if r.epoch == 0 {
		return nil
	}
	late := 0
	warned := map[uuid.UUID]bool{}
	for _, c := range b.calls {
		k := b.state.agent(c.agent.ID)
		if !c.current || k.back >= r.epoch {
			continue
		}
		switch {
		case k.told < r.epoch && len(c.entries)+len(c.demands) > 0:
			k.told, k.dirty, k.forced = r.epoch, true, true
			c.warned, warned[k.agent] = true, true
		case warned[k.agent]:
			c.warned = true
		default:
			k.back, k.dirty, k.forced = r.epoch, true, true
			late++
		}
	}
	if calm == r.epoch {
		return nil
	}
	missing, released, err := t.missing(ctx, r, late+1)
	if err != nil {
		return err
	}
	for _, id := range missing {
		if k := b.state.agents[id]; k == nil || k.back < r.epoch {
			b.waiting = true
		}
	}
	b.released, b.calm = released, !b.waiting
	return nil
}
