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

// CheckMode refuses what nothing would come of: today, every mode but off.
func CheckMode(m eventv1.QuotaMode) error {
	switch m {
	case eventv1.QuotaMode_QUOTA_MODE_OFF:
		return nil
	case eventv1.QuotaMode_QUOTA_MODE_HARD, eventv1.QuotaMode_QUOTA_MODE_SOFT, eventv1.QuotaMode_QUOTA_MODE_SHADOW:
		return fault.Because(fault.Unimplemented, "quota_mode_unimplemented",
			"mode: this server neither counts nor enforces limits and budgets yet; QUOTA_MODE_OFF keeps it, and a release that enforces it lets you turn it on")
	}
	return fault.Field("mode", "want QUOTA_MODE_OFF: the limit or budget is kept, and not enforced")
}
