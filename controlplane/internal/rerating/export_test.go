package rerating

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/rerate"
)

// errDied stands for the end of the process.
var errDied = errors.New("died")

// DieBeforeNoting stores the corrections of the next window so many times, and dies before
// it is noted that they are.
func (r *Runner) DieBeforeNoting(ctx context.Context, organization, id uuid.UUID, times int) error {
	o := owned{organization, id}
	w, err := r.begin(ctx, o)
	if err != nil {
		return err
	}
	if _, err := r.table.hold(ctx, o, func(run *Run) error { return w.plan(ctx, run) }); err != nil {
		return err
	}
	_, err = r.table.hold(ctx, o, func(run *Run) error {
		planned := window{run.Reached, run.planned}
		b, err := w.read(ctx, planned)
		if err != nil {
			return err
		}
		found, err := corrections(ctx, w.judge, &rerate.Tally{}, b)
		for range times {
			err = errors.Join(err, w.store(ctx, planned, len(b.there), found))
		}
		return errors.Join(err, errDied)
	})
	if !errors.Is(err, errDied) {
		return errors.Join(errors.New("it lives"), err)
	}
	return nil
}

// Enter takes the place of a dry run.
func (p *Preview) Enter(organization uuid.UUID) (leave func(), ok bool) {
	return p.gate.Enter(organization)
}
