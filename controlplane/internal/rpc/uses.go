package rpc

import "github.com/weirhq/weir/controlplane/internal/fault"

const (
	// maxUses bounds how many are looked for; people are shown fewer.
	maxUses = 20
	// everyRoute is more than a policy can hold.
	everyRoute = 1_000_000
)

// usesBy names what stands on a thing that is to be archived.
func usesBy[T any](found []T, thing string, name func(T) string) []fault.Use {
	uses := make([]fault.Use, 0, len(found))
	for _, one := range found {
		uses = append(uses, fault.Use{Thing: thing, Name: name(one)})
	}
	return uses
}
