package policy

import (
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Delta is what turns one policy into another.
type Delta struct {
	// Changed are the resources of the new policy that the old one has not, or other.
	Changed []*policyv1.Resource
	// Removed are the names of those that only the old one has.
	Removed []Name
	// Bytes is the size of Changed and Removed.
	Bytes int
}

// DeltaFrom returns what turns the policy before into this one. It compares 32 bytes
// of each resource at most, and allocates for what differs only.
func (c *Compiled) DeltaFrom(before *Compiled) Delta {
	var d Delta
	for is, was := range pairs(c.items, before.items) {
		switch {
		case is == nil:
			d.Removed = append(d.Removed, was.name())
			d.Bytes += len(was.digest.Kind) + len(was.digest.ID)
		case was == nil || is != was && is.digest != was.digest:
			d.Changed = append(d.Changed, is.resource)
			d.Bytes += is.bytes
		}
	}
	return d
}
