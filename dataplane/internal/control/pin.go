package control

import (
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// withFormer believes the keys that are retired, too: what they signed is on disk
// and was believed when it came.
func (i *Identity) withFormer() *Identity {
	both := *i
	both.signers = maps.Clone(i.former)
	if both.signers == nil {
		both.signers = make(map[string]ed25519.PublicKey)
	}
	maps.Copy(both.signers, i.signers)
	return &both
}

// pins are the keys that a release tells to believe; nil: those of before.
func pins(signed *policyv1.SignedRelease, release *policyv1.Release) (map[string]ed25519.PublicKey, error) {
	if len(release.GetSigningKeys()) == 0 {
		return nil, nil
	}
	keys := make(map[string]ed25519.PublicKey)
	for _, k := range release.GetSigningKeys() {
		if len(k.GetPublicKey()) != ed25519.PublicKeySize {
			return nil, untrusted("release: signing key %q has %d bytes", k.GetId(), len(k.GetPublicKey()))
		}
		keys[k.GetId()] = k.GetPublicKey()
	}
	if keys[signed.GetSigningKeyId()] == nil {
		return nil, untrusted("release: it does not believe its own signer %q", signed.GetSigningKeyId())
	}
	return keys, nil
}

// pin believes what the release on disk tells to believe, from now on and after a
// restart. Retired keys stay for as long as a slot is signed with them.
func (c *Client) pin(file *policyFile) {
	keys, err := pins(file.release, file.header)
	if err != nil || keys == nil {
		return // err: the release was not let in
	}
	was := c.identity.Load()
	next := *was
	next.signers, next.former = keys, make(map[string]ed25519.PublicKey)
	for id, key := range was.withFormer().signers {
		if _, ok := keys[id]; !ok && slices.Contains(slices.Concat(c.slots.signers[:]...), id) {
			next.former[id] = key
		}
	}
	if maps.EqualFunc(next.signers, was.signers, sameKey) && maps.EqualFunc(next.former, was.former, sameKey) {
		return
	}
	c.identity.Store(&next)
	c.unpinned = true
	c.config.Log.Info("signing keys to believe", "ids", slices.Sorted(maps.Keys(next.signers)), "version", file.version())
}

// learn adds the keys of a stored release by a key that is believed: the identity
// may not have been stored when it came. It takes none away: the slot may be old.
func (c *Client) learn(file *policyFile) {
	was := c.identity.Load()
	keys, err := pins(file.release, file.header)
	if err != nil || was == nil || was.signers[file.release.GetSigningKeyId()] == nil {
		return // err: it was not let in; no identity yet: it comes with keys; signed by a former key: what it says is over
	}
	next := *was
	next.signers = maps.Clone(was.signers)
	maps.Copy(next.signers, keys)
	if !maps.EqualFunc(next.signers, was.signers, sameKey) {
		c.identity.Store(&next)
		c.unpinned = true
	}
}

func sameKey(a, b ed25519.PublicKey) bool { return a.Equal(b) }

// keepPins puts the keys on disk. Until that worked the agent says so in its
// reports: after a restart it might not believe the next release.
func (c *Client) keepPins() error {
	if !c.unpinned {
		return nil
	}
	if err := c.keys.save(c.identity.Load()); err != nil {
		return fmt.Errorf("signing keys are not stored: %w", err)
	}
	c.unpinned = false
	return nil
}
