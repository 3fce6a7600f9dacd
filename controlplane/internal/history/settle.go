package history

import (
	"errors"
	"slices"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// Refused is a step that can't be made, and why not.
type Refused[S any] struct {
	Step   S
	Reason *fault.Error
}

// Settle makes the steps that can be made. What refuses one, a name that is taken, a
// thing that is in use, may go away with another one: it goes through those that were
// refused again, backwards and forwards, for as long as that makes any. A chain in which
// each waits for its neighbour takes two passes. It returns the others, in their order,
// with the fault that each met last; any error of try that is no fault ends it.
func Settle[S any](steps []S, try func(S) error) ([]Refused[S], error) {
	for pass := 0; ; pass++ {
		var refused []Refused[S]
		for _, s := range steps {
			err := try(s)
			var reason *fault.Error
			switch {
			case err == nil:
			case errors.As(err, &reason) && final(reason.Kind):
				refused = append(refused, Refused[S]{s, reason})
			default:
				return nil, err
			}
		}
		if len(refused) == 0 || len(refused) == len(steps) {
			if pass%2 == 1 {
				slices.Reverse(refused)
			}
			return refused, nil
		}
		steps = steps[:0:0]
		for _, r := range refused {
			steps = append(steps, r.Step)
		}
		slices.Reverse(steps)
	}
}

// final tells what the state says no to from what may be otherwise the next moment.
func final(kind fault.Kind) bool {
	switch kind {
	case fault.Invalid, fault.Denied, fault.NotFound, fault.Conflict, fault.Precondition:
		return true
	}
	return false
}
