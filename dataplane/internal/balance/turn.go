package balance

import "github.com/weirhq/weir/dataplane/internal/snapshot"

// Turn moves to a target that Next gave before: of two attempts under way either may end
// first.
func (p *Plan) Turn(target *snapshot.Target) {
	for i, known := range p.route.Targets {
		if known == target {
			p.current = i
		}
	}
}
