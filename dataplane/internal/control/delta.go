package control

import (
	"bytes"
	"errors"
	"fmt"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// maxMisfits is after how many deltas that did not fit the agent asks for the whole policy.
const maxMisfits = 2

// errMisfit says that a delta does not fit what is served: a new stream begins there.
var errMisfit = errors.New("the delta does not fit")

// applyDelta makes a whole policy of the one that is served, and takes it like any
// other. Nothing of a delta that does not fit is served.
func (c *Client) applyDelta(d *agentv1.Delta) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.serves(d.GetBase()) {
		if c.rejected == nil { // after a refusal the control plane could not know what is served
			c.misfits++
		}
		return fmt.Errorf("%w: it begins at epoch %d version %d, epoch %d version %d is served", errMisfit,
			d.GetBase().GetEpoch(), d.GetBase().GetVersion(), c.position().GetEpoch(), c.position().GetVersion())
	}
	file, err := verifyHead(c.identity.Load(), &agentv1.Snapshot{Release: d.GetRelease()})
	if err != nil {
		return c.turnAway(nil, err)
	}
	file.resources = patch(c.serving.resources, d)
	err = content(file.header, file.resources)
	if errors.Is(err, errTooLarge) {
		return untrustedOnly(c.turnAway(file, err))
	}
	if err != nil {
		c.misfits++
		return fmt.Errorf("%w: %w", errMisfit, err)
	}
	return untrustedOnly(c.take(file, nil))
}

// serves tells whether a delta from a position fits.
func (c *Client) serves(base *agentv1.PolicyPosition) bool {
	if c.serving == nil {
		return false
	}
	is := c.serving.header
	return base.GetEpoch() == is.GetEpoch() && base.GetVersion() == is.GetVersion() && bytes.Equal(base.GetRoot(), is.GetRoot())
}

// patch leaves the resources of before as they are.
func patch(before []*policyv1.Resource, d *agentv1.Delta) []*policyv1.Resource {
	type name struct{ kind, id string }
	over := make(map[name]bool, len(d.GetChanged())+len(d.GetRemoved()))
	for _, r := range d.GetChanged() {
		over[name{r.GetKind(), r.GetId()}] = true
	}
	for _, n := range d.GetRemoved() {
		over[name{n.GetKind(), n.GetId()}] = true
	}
	after := make([]*policyv1.Resource, 0, len(before)+len(d.GetChanged()))
	for _, r := range before {
		if !over[name{r.GetKind(), r.GetId()}] {
			after = append(after, r)
		}
	}
	return append(after, d.GetChanged()...)
}
