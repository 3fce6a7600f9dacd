package snapshot

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func (c *compiler) addKey(id string, k *policyv1.Key) {
	if c.keyIDs[id] {
		c.refuse("key %s is there twice", id)
		return
	}
	c.keyIDs[id] = true
	key := &Key{
		ID: id, ProjectID: k.GetProjectId(), revoked: k.GetRevokedAt() != nil,
		expiresAt: c.time(id, "expires_at", k.GetExpiresAt()), labels: k.GetLabels(),
		Weight: c.weight("key "+id, k.GetWeight()), ProjectWeight: max(c.weights[k.GetProjectId()], 1), Priority: c.priority(id, k.GetPriority()),
	}
	if !key.revoked { // else it is kept for its hashes, its routes may be gone
		key.routes = c.keyRoutes(id, k)
	}
	c.addSecret(key, k.GetSha256())
	c.addPrevious(key, k)
}

// addPrevious lets the secret before a rotation open the same key for a time.
func (c *compiler) addPrevious(key *Key, k *policyv1.Key) {
	if (len(k.GetPreviousSha256()) > 0) != (k.GetPreviousExpiresAt() != nil) {
		c.refuse("key %s: its previous secret has a hash or a time, not both", key.ID)
		return
	}
	if k.GetPreviousExpiresAt() == nil {
		return
	}
	previous := *key
	previous.rotatedAt = c.time(key.ID, "previous_expires_at", k.GetPreviousExpiresAt())
	c.addSecret(&previous, k.GetPreviousSha256())
}

func (c *compiler) addSecret(key *Key, sha256 []byte) {
	if len(sha256) != 32 {
		c.refuse("key %s: its hash has %d bytes", key.ID, len(sha256))
		return
	}
	hash := [32]byte(sha256)
	if other := c.content.keys[hash]; other != nil {
		c.refuse("key %s: its hash is there twice, also for key %s", key.ID, other.ID)
		return
	}
	c.content.keys[hash] = key
}

// keyRoutes is nil only where the key may use every route.
func (c *compiler) keyRoutes(id string, k *policyv1.Key) map[*Route]bool {
	routeIDs := k.GetRouteIds()
	if len(routeIDs) == 0 && !k.GetNoRoutes() {
		return nil
	}
	if len(routeIDs) > 0 && k.GetNoRoutes() {
		c.refuse("key %s: it may use no route, and names some", id)
	}
	routes := make(map[*Route]bool, len(routeIDs))
	for _, routeID := range routeIDs {
		route := c.routes[routeID]
		if route == nil {
			c.refuse("key %s: there is no route %s", id, routeID)
			continue
		}
		routes[route] = true
	}
	return routes
}

// time is zero where nothing is said, never where something is.
func (c *compiler) time(id, field string, stated *timestamppb.Timestamp) time.Time {
	if stated == nil {
		return time.Time{}
	}
	at := stated.AsTime()
	if stated.CheckValid() != nil || at.IsZero() {
		c.refuse("key %s: its %s is no time", id, field)
	}
	return at
}
