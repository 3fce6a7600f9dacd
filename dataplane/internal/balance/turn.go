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

// Return moves back to a target that was left out, and is none no more. Where its breaker is
// open by now it is tried for want of a better one.
func (p *Plan) Return(target *snapshot.Target) {
	p.Turn(target)
	if p.request.Targets != nil {
		p.now = p.request.Targets.since(p.request.Now())
	}
	p.tries[p.current].out = false
	p.resort = !p.enters(p.current)
}
