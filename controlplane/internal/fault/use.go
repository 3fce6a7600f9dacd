package fault

import (
	"fmt"
	"strings"
)

// Use is something that stands on a thing which somebody wants to archive.
type Use struct {
	// Thing is what a person calls it: "key".
	Thing string
	Name  string
}

// maxUses bounds how many a message names.
const maxUses = 5

// InUse makes a Precondition fault that says what must go first.
func InUse(thing, name string, uses []Use) *Error {
	var said []string
	for i, use := range uses {
		if i == maxUses {
			said = append(said, fmt.Sprintf("and %d more", len(uses)-maxUses))
			break
		}
		said = append(said, fmt.Sprintf("%s %q", use.Thing, use.Name))
	}
	return Because(Precondition, "in_use", "%s %q is in use by %s; remove what uses it first", thing, name, strings.Join(said, ", "))
}
