// Package quota holds what limits and budgets have in common: what they are about, how
// they are meant, and the windows that they count in. It knows no clock and no I/O.
package quota

import (
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Most is how many limits, and how many budgets, an organization can have.
const Most = 2000

// World is what decisions about a quota depend on.
type World struct {
	// NameTaken: another one of the organization has the name.
	NameTaken bool
	// Count is how many the organization has.
	Count int
	// Target is what the scope names.
	Target Target
}

// Admit refuses a name that is taken and one quota too many. thing is "limit" or
// "budget".
func (w World) Admit(thing, name string) error {
	if w.NameTaken {
		return Taken(thing, name)
	}
	if w.Count >= Most {
		return fault.Because(fault.Precondition, "too_many_"+thing+"s", "an organization has at most %d %ss; delete some", Most, thing)
	}
	return nil
}

// Taken is the Conflict fault about a name.
func Taken(thing, name string) error {
	return fault.Because(fault.Conflict, "name_taken", "a %s named %q exists", thing, name)
}

// Enforced tells whether a mode is one that agents hold to.
func Enforced(m eventv1.QuotaMode) bool { return m > eventv1.QuotaMode_QUOTA_MODE_OFF }

// CheckMode refuses what is no mode.
func CheckMode(m eventv1.QuotaMode) error {
	if m >= eventv1.QuotaMode_QUOTA_MODE_OFF && m <= eventv1.QuotaMode_QUOTA_MODE_SHADOW {
		return nil
	}
	return fault.Field("mode", "want QUOTA_MODE_HARD, which refuses what goes beyond, QUOTA_MODE_SOFT, which tells of it, QUOTA_MODE_SHADOW, which counts it, or QUOTA_MODE_OFF")
}
