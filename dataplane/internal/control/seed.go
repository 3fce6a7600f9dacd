package control

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Seed is a policy file that its operator gave the agent, as Export makes it: it may
// serve by it before it ever met the control plane. The zero value is none.
type Seed struct {
	Path string
	// Keys of the organization, by id: what an agent without an identity believes. No
	// file vouches for itself.
	Keys map[string]ed25519.PublicKey
}

// ParseSigningKeys reads keys as Export prints them: ID=BASE64 of 32 bytes.
func ParseSigningKeys(texts []string) (map[string]ed25519.PublicKey, error) {
	keys := make(map[string]ed25519.PublicKey, len(texts))
	var faults []error
	for _, text := range texts {
		id, encoded, ok := strings.Cut(strings.TrimSpace(text), "=")
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || id == "" || err != nil || len(key) != ed25519.PublicKeySize {
			faults = append(faults, fmt.Errorf("signing key %q: want ID=KEY as weir-agent policy export prints it", text))
			continue
		}
		keys[id] = key
	}
	return keys, errors.Join(faults...)
}

// formatSigningKeys is the inverse of ParseSigningKeys, ordered by id.
func formatSigningKeys(keys map[string]ed25519.PublicKey) []string {
	texts := make([]string, 0, len(keys))
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		texts = append(texts, id+"="+base64.StdEncoding.EncodeToString(keys[id]))
	}
	return texts
}

var errNoSeedKeys = errors.New("this agent has no identity and no signing keys to verify it with (WEIR_POLICY_KEYS)")

// read verifies the seed for an agent with this identity, or for one without. Then who
// it is for is what the file says that the organization signed.
func (s Seed) read(identity *Identity) (file *policyFile, by *Identity, err error) {
	raw, err := readSlotFile(s.Path)
	if err != nil {
		return nil, nil, err
	}
	if by = identity; by == nil {
		if by, err = s.addressee(raw); err != nil {
			return nil, nil, err
		}
	}
	file, _, err = parseSlot(raw, by) // retired keys vouch for what is in slots only
	return file, by, err
}

// addressee believes nothing of the file yet: parseSlot verifies it for whom it names.
func (s Seed) addressee(raw []byte) (*Identity, error) {
	if len(s.Keys) == 0 {
		return nil, errNoSeedKeys
	}
	body, stored, header := raw[min(len(raw), slotHead):], &policyv1.PolicyFile{}, &policyv1.Release{}
	if err := errors.Join(proto.Unmarshal(body, stored), proto.Unmarshal(stored.GetRelease().GetRelease(), header)); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return &Identity{OrganizationID: header.GetOrganizationId(), GatewayID: header.GetGatewayId(), signers: s.Keys}, nil
}

// stored are the policies that may be served, newest first, verified for the agent or,
// where it never enrolled, for whom the seed is. The revocations are the latest of all.
func (c *Client) stored() (valid []loaded, revoked *signedSet) {
	identity := c.identity.Load()
	var seed *policyFile
	if c.config.Seed.Path != "" {
		file, by, err := c.config.Seed.read(identity)
		if err != nil {
			c.config.Log.Error("the policy file is not used", "path", c.config.Seed.Path, "error", err)
		} else {
			seed, identity = file, by
		}
	}
	if identity == nil {
		return nil, nil
	}
	valid, revoked, faults := c.slots.load(identity)
	for _, fault := range faults {
		c.config.Log.Error("stored policy is not used", "error", fault)
	}
	if len(valid) > 0 {
		c.slots.active = valid[0].slot
	}
	if seed != nil {
		valid = append(valid, loaded{slot: noSlot, path: c.config.Seed.Path, file: seed})
		revoked = larger(revoked, seed.revoked)
	}
	slices.SortStableFunc(valid, newestFirst) // what is as new as the seed is served from its slot
	return valid, revoked
}

// keep puts what is served into a slot where it is in none, once the agent has an
// identity: its revocations must not go back when the seed, or a damaged slot, is gone.
// It stays as old as it is: nobody confirmed it.
func (c *Client) keep() {
	if c.serving == nil || !c.unstored || c.identity.Load() == nil {
		return
	}
	err := c.slots.write(c.serving)
	if err == nil {
		err = c.slots.date(time.UnixMilli(c.fresh.Load()))
	}
	if err != nil {
		c.config.Log.Error("what is served is not stored", "error", err)
		return
	}
	c.unstored = false
}

// storeAgain puts on disk what did not fit there when it came: there may be room by now, and
// nothing newer may come before the next start.
func (c *Client) storeAgain() {
	c.remember(nil)
	c.keep()
}

// suits refuses an identity of another gateway than that of the seed that is served.
func (c *Client) suits(identity *Identity) error {
	if c.serving == nil {
		return nil
	}
	h := c.serving.header
	if err := identity.addressed(h.GetOrganizationId(), h.GetGatewayId()); err != nil {
		return fmt.Errorf("the enrolment token is of gateway %s in organization %s, the policy file %s of gateway %s in organization %s: "+
			"start with a token of that gateway, or without the file; and revoke the agent %s, which joined there now", identity.GatewayID, identity.OrganizationID,
			c.config.Seed.Path, h.GetGatewayId(), h.GetOrganizationId(), identity.AgentID)
	}
	return nil
}
