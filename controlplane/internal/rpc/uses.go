package rpc

import (
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
)

// maxUses bounds how many are looked for; people are shown fewer.
const maxUses = 20

// usesBy names what stands on a thing that is to be archived.
func usesBy[T any](found []T, thing string, name func(T) string) []fault.Use {
	uses := make([]fault.Use, 0, len(found))
	for _, one := range found {
		uses = append(uses, fault.Use{Thing: thing, Name: name(one)})
	}
	return uses
}

// emptyAnswer says that it was done.
func emptyAnswer[A any](_ []eventlog.Event) (*A, error) { return new(A), nil }
