package snapshot

import (
	"time"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// What an agent takes; the control plane lets no more be said.
const (
	heaviest      = 100
	maxQueue      = 1000
	longestQueued = time.Minute
)

// Queue is how requests wait for what is left of a provider's own limits. Zero: they don't.
type Queue struct {
	// Most wait at once for one of its models.
	Most int
	// Wait no longer than this.
	Wait time.Duration
}

func (c *compiler) addProject(id string, p *policyv1.Project) {
	if _, twice := c.weights[id]; twice {
		c.refuse("project %s is there twice", id)
		return
	}
	c.weights[id] = c.weight("project "+id, p.GetWeight())
}

// weight is 1 where nothing is said.
func (c *compiler) weight(of string, said int32) int64 {
	if said < 0 || said > heaviest {
		c.refuse("%s: its weight is %d, 0 to %d are accepted", of, said, heaviest)
	}
	return int64(max(said, 1))
}

// priority is never unspecified.
func (c *compiler) priority(keyID string, said policyv1.Priority) policyv1.Priority {
	switch said {
	case policyv1.Priority_PRIORITY_UNSPECIFIED:
		return policyv1.Priority_PRIORITY_NORMAL
	case policyv1.Priority_PRIORITY_BATCH, policyv1.Priority_PRIORITY_NORMAL, policyv1.Priority_PRIORITY_INTERACTIVE:
	default:
		c.refuse("key %s: its priority is %d, which is unknown here", keyID, said)
	}
	return said
}

func (c *compiler) queue(providerID string, said *policyv1.Queue) Queue {
	if said == nil {
		return Queue{}
	}
	most, wait := said.GetMaxRequests(), said.GetMaxWaitMs()
	if most < 1 || most > maxQueue || wait < 1 || wait > longestQueued.Milliseconds() {
		c.refuse("provider %s: in its queue %d requests wait for %d ms, 1 to %d for 1 to %d are accepted",
			providerID, most, wait, maxQueue, longestQueued.Milliseconds())
		return Queue{}
	}
	return Queue{Most: int(most), Wait: time.Duration(wait) * time.Millisecond}
}
