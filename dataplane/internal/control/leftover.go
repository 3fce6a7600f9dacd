package control

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// mayShip refuses an identity of another gateway than that of the policy on the disk
// while the spool has usage from then: it would go out in another gateway's name, maybe to
// another organization or region.
func (c *Client) mayShip(identity *Identity) error {
	left := c.config.Spooled().Records
	if left == 0 {
		return nil
	}
	for _, path := range c.slots.paths {
		was := addressee(path)
		if was == nil || identity.addressed(was.GetOrganizationId(), was.GetGatewayId()) == nil {
			continue
		}
		return fmt.Errorf("the enrolment token is of gateway %s in organization %s, and the state folder has %d records of usage of gateway %s in organization %s: "+
			"start with a token of that gateway until they are delivered, or with another folder; and revoke the agent %s, which joined there now",
			identity.GatewayID, identity.OrganizationID, left, was.GetGatewayId(), was.GetOrganizationId(), identity.AgentID)
	}
	return nil
}

// addressee is whom the policy in a slot is for, by its own word: the keys that verify it
// may be gone. nil: nothing there is whole.
func addressee(path string) *policyv1.Release {
	raw, err := readSlotFile(path)
	if err != nil || len(raw) < slotHead || !isSummed(slotMagic, raw) {
		return nil
	}
	stored, header := &policyv1.PolicyFile{}, &policyv1.Release{}
	if proto.Unmarshal(raw[slotHead:], stored) != nil || proto.Unmarshal(stored.GetRelease().GetRelease(), header) != nil {
		return nil
	}
	return header
}
