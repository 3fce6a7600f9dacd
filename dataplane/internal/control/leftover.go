package control

import (
	"fmt"
	"os"

	"google.golang.org/protobuf/proto"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// mayShip refuses an identity of another gateway than that of the policy on the disk
// while the spool has usage from then: it would go out in another gateway's name, maybe to
// another organization or region.
func (c *Client) mayShip(identity *Identity) error {
	left, others := c.config.Spooled().Records, c.ofOthers(identity)
	if left == 0 || len(others) == 0 {
		return nil
	}
	was := others[0].header
	return fmt.Errorf("the enrolment token is of gateway %s in organization %s, and the state folder has %d records of usage of gateway %s in organization %s: "+
		"start with a token of that gateway until they are delivered, or with another folder; and revoke the agent %s, which joined there now",
		identity.GatewayID, identity.OrganizationID, left, was.GetGatewayId(), was.GetOrganizationId(), identity.AgentID)
}

// foreign is a slot with a policy of another gateway, by its own word.
type foreign struct {
	path   string
	header *policyv1.Release
}

func (c *Client) ofOthers(identity *Identity) (others []foreign) {
	for _, path := range c.slots.paths {
		was := addressee(path)
		if was != nil && identity.addressed(was.GetOrganizationId(), was.GetGatewayId()) != nil {
			others = append(others, foreign{path, was})
		}
	}
	return others
}

// dropOthers removes policies that this agent can never serve: usage that it has from now on
// would be taken for theirs when it enrols anew.
func (c *Client) dropOthers(identity *Identity) error {
	for _, other := range c.ofOthers(identity) {
		if err := os.Remove(other.path); err != nil {
			return fmt.Errorf("remove the policy of another gateway: %w", err)
		}
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
