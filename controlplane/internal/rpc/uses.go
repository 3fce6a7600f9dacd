package rpc

import (
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
