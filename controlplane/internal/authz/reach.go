package authz

import (
	"slices"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
)

// Reach is where a principal has a permission.
type Reach struct {
	// Everywhere in its organization.
	Everywhere bool
	// Projects where it has it, too.
	Projects []uuid.UUID
}

// ReachOf returns where the principal has a permission; the zero Reach: nowhere.
func ReachOf(p authn.Principal, permission string) Reach {
	if permission == Self {
		return Reach{Everywhere: true}
	}
	if _, ok := slices.BinarySearch(Permissions(p), permission); ok {
		return Reach{Everywhere: true}
	}
	var r Reach
	for _, b := range p.Bindings {
		if _, ok := slices.BinarySearch(OnProject(p, b), permission); ok {
			r.Projects = append(r.Projects, b.ProjectID)
		}
	}
	return r
}

// Has tells whether a project's things are within reach.
func (r Reach) Has(project uuid.UUID) bool {
	return r.Everywhere || slices.Contains(r.Projects, project)
}
