package balance

import "github.com/weirhq/weir/dataplane/internal/snapshot"

// Turn moves to a target that Next gave before: of two attempts under way either may end
// first.
func (p *Plan) Turn(target *snapshot.Target) {
	for i := range p.count {
		if p.At(i) == target {
			p.current = i
		}
	}
}
