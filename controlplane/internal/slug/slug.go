// Package slug checks the names that people give to things: lower-case letters,
// digits and inner dashes, at most 63.
package slug

import (
	"regexp"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

var form = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Check returns an Invalid fault about the field where name is not a slug.
func Check(field, name string) error {
	if !form.MatchString(name) {
		return fault.Field(field, "want lower-case letters, digits and inner dashes, at most 63; got %q", name)
	}
	return nil
}
