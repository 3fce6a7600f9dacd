package organization

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/proto/contract/batch"
	"github.com/weirhq/weir/proto/contract/label"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// maxLabels of an organization, three times what one request may have.
const maxLabels = 50

var labelName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Usage says what usage may hold of callers' own words. The zero value: as DefaultUsage.
type Usage struct {
	// EndUsers is HASHED or PLAIN.
	EndUsers eventv1.EndUsers `json:"end_users"`
	// Labels that it may hold, ordered by name.
	Labels []Label `json:"labels,omitempty"`
}

// Label lets values of one label into usage, as package label has it.
type Label struct {
	Name     string `json:"name"`
	MaxBytes int32  `json:"max_bytes"`
	// Pattern that is empty: letters, digits and a few signs.
	Pattern string `json:"pattern,omitempty"`
}

// DefaultUsage is what an organization begins with.
func DefaultUsage() Usage {
	usage := Usage{EndUsers: eventv1.EndUsers_END_USERS_HASHED}
	for _, name := range []string{"application", "environment", "feature", "team"} {
		usage.Labels = append(usage.Labels, Label{Name: name, MaxBytes: label.DefaultBytes})
	}
	return usage
}

// Effective is what holds: one that was never said is the default.
func (u Usage) Effective() Usage {
	if u.EndUsers == eventv1.EndUsers_END_USERS_UNSPECIFIED && len(u.Labels) == 0 {
		return DefaultUsage()
	}
	return u
}

// Default tells whether what holds is what an organization begins with.
func (u Usage) Default() bool { return u.Effective().equal(DefaultUsage()) }

func (u Usage) equal(other Usage) bool {
	return u.EndUsers == other.EndUsers && slices.Equal(u.Labels, other.Labels)
}

// complete puts labels in order; the default becomes the zero value.
func (u Usage) complete() (Usage, error) {
	if u.equal(Usage{}) {
		return u, nil
	}
	if u.EndUsers == eventv1.EndUsers_END_USERS_UNSPECIFIED {
		u.EndUsers = eventv1.EndUsers_END_USERS_HASHED
	}
	if len(u.Labels) > maxLabels {
		return u, fault.Field("organization.usage.labels", "want at most %d", maxLabels)
	}
	u.Labels = slices.Clone(u.Labels)
	seen := map[string]bool{}
	for i, l := range u.Labels {
		if err := l.check(fmt.Sprintf("organization.usage.labels[%d]", i)); err != nil {
			return u, err
		}
		if seen[l.Name] {
			return u, fault.Field(fmt.Sprintf("organization.usage.labels[%d].name", i), "%q is there twice", l.Name)
		}
		seen[l.Name], u.Labels[i].MaxBytes = true, cmp.Or(l.MaxBytes, label.DefaultBytes)
	}
	slices.SortFunc(u.Labels, func(a, b Label) int { return cmp.Compare(a.Name, b.Name) })
	if u.Default() {
		return Usage{}, nil
	}
	return u, nil
}

func (l Label) check(field string) error {
	if !labelName.MatchString(l.Name) {
		return fault.Field(field+".name", "want 1 to 64 of A-Z a-z 0-9 . _ -")
	}
	if l.MaxBytes < 0 || l.MaxBytes > batch.MaxLabelValueBytes {
		return fault.Field(field+".max_bytes", "want 1 to %d, or 0: %d", batch.MaxLabelValueBytes, label.DefaultBytes)
	}
	if _, err := label.New(l.MaxBytes, l.Pattern); err != nil {
		return fault.Field(field+".pattern", "%s", err)
	}
	return nil
}

// toProto is nil for the default.
func (u Usage) toProto() *eventv1.UsageSettings {
	if u.equal(Usage{}) {
		return nil
	}
	settings := &eventv1.UsageSettings{EndUsers: u.EndUsers}
	for _, l := range u.Labels {
		settings.Labels = append(settings.Labels, &eventv1.LabelRule{Name: l.Name, MaxBytes: l.MaxBytes, Pattern: l.Pattern})
	}
	return settings
}

func usageFromProto(settings *eventv1.UsageSettings) Usage {
	usage := Usage{EndUsers: settings.GetEndUsers()}
	for _, l := range settings.GetLabels() {
		usage.Labels = append(usage.Labels, Label{Name: l.GetName(), MaxBytes: l.GetMaxBytes(), Pattern: l.GetPattern()})
	}
	return usage
}
