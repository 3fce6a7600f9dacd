package rerate

import (
	"slices"
	"strings"

	"github.com/google/uuid"
)

// MostGroups are how many a tally tells apart.
const MostGroups = 1000

// Difference is what some attempts cost before and after, nano-dollars, of what is priced.
// Those that could not be priced anew are in both with what they had.
type Difference struct {
	// Requests of applications, where their last attempt went.
	Requests  int64 `json:"requests"`
	Attempts  int64 `json:"attempts"`
	Corrected int64 `json:"corrected"`
	OldNano   int64 `json:"old_nano"`
	NewNano   int64 `json:"new_nano"`
	// LeftOut are attempts, by why.
	LeftOut map[Reason]int64 `json:"left_out,omitempty"`
}

// Group is what differences are told by.
type Group struct {
	ProjectID  uuid.UUID `json:"project_id"`
	ProviderID uuid.UUID `json:"provider_id"`
	Provider   string    `json:"provider"`
	Model      string    `json:"model"`
}

// GroupDifference is a Difference with whose it is.
type GroupDifference struct {
	Group
	Difference
}

// Tally sums up differences; the zero one has none.
type Tally struct {
	Total Difference `json:"total"`
	// Groups that came first, in the order of their names; what is beyond MostGroups is in
	// Total alone.
	Groups []*GroupDifference `json:"groups,omitempty"`

	by map[Group]*GroupDifference
}

// Add counts an attempt with what it costs now, or why that is not known. It tells whether
// that is another cost than it had.
func (t *Tally) Add(a *Attempt, nanoUSD int64, why Reason) (corrected bool) {
	corrected = why == "" && (a.CorrectedNanoUSD == nil || *a.CorrectedNanoUSD != nanoUSD)
	t.Total.add(a, nanoUSD, why, corrected)
	if g := t.group(Group{a.ProjectID, a.ProviderID, a.Provider, a.Model}); g != nil {
		g.add(a, nanoUSD, why, corrected)
	}
	return corrected
}

func (d *Difference) add(a *Attempt, nanoUSD int64, why Reason, corrected bool) {
	var old int64
	if a.CorrectedNanoUSD != nil {
		old = *a.CorrectedNanoUSD
	}
	if why != "" {
		nanoUSD = old
		d.LeaveOut(why, 1)
	}
	d.Attempts++
	if a.Last && a.Kind == "request" {
		d.Requests++
	}
	if corrected {
		d.Corrected++
	}
	d.OldNano += old
	d.NewNano += nanoUSD
}

// LeaveOut counts attempts that are not priced anew.
func (d *Difference) LeaveOut(why Reason, attempts int64) {
	if attempts == 0 {
		return
	}
	if d.LeftOut == nil {
		d.LeftOut = map[Reason]int64{}
	}
	d.LeftOut[why] += attempts
}

// group is nil where there are too many.
func (t *Tally) group(g Group) *GroupDifference {
	if t.by == nil {
		t.by = make(map[Group]*GroupDifference, len(t.Groups))
		for _, known := range t.Groups {
			t.by[known.Group] = known
		}
	}
	found := t.by[g]
	if found == nil && len(t.Groups) < MostGroups {
		found = &GroupDifference{Group: g}
		t.by[g] = found
		at, _ := slices.BinarySearchFunc(t.Groups, g, func(d *GroupDifference, g Group) int { return d.compare(g) })
		t.Groups = slices.Insert(t.Groups, at, found)
	}
	return found
}

func (g Group) compare(other Group) int {
	for _, c := range []int{
		strings.Compare(g.Provider, other.Provider), strings.Compare(g.Model, other.Model),
		slices.Compare(g.ProjectID[:], other.ProjectID[:]), slices.Compare(g.ProviderID[:], other.ProviderID[:]),
	} {
		if c != 0 {
			return c
		}
	}
	return 0
}
