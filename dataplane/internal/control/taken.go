package control

import (
	"bytes"

	"google.golang.org/protobuf/proto"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// kindKey is the one kind of resource that is looked into here, for what is taken
// away from keys.
const kindKey = "key"

// takenBy are the secrets that a set revokes.
func takenBy(set *policyv1.Revocations) []taken {
	out := make([]taken, 0, len(set.GetRevocations()))
	for _, r := range set.GetRevocations() {
		if len(r.GetKeySha256()) == 32 { // else the set is refused, with the reason
			out = append(out, taken{KeyID: r.GetKeyId(), SHA256: r.GetKeySha256()})
		}
	}
	return out
}

// takenBetween are the secrets that after says are revoked, and those that before
// had and after has no more. Before may be nil.
func takenBetween(before, after *policyFile) []taken {
	out := takenBy(after.revoked.set)
	had := keysOf(before)
	for id, body := range keysOf(after) {
		was, known := had[id]
		delete(had, id)
		if known && bytes.Equal(was, body) {
			continue
		}
		now := decodeKey(body)
		if now.GetRevokedAt() != nil {
			out = append(out, now.taken(id, 0, 0)...)
		}
		out = append(out, decodeKey(was).without(now, after.header)...)
	}
	for id, body := range had {
		out = append(out, decodeKey(body).taken(id, after.header.GetEpoch(), after.header.GetVersion())...)
	}
	return out
}

func keysOf(p *policyFile) map[string][]byte {
	if p == nil {
		return nil
	}
	keys := make(map[string][]byte)
	for _, r := range p.resources {
		if r.GetKind() == kindKey {
			keys[r.GetId()] = r.GetBody()
		}
	}
	return keys
}

type decodedKey struct{ *policyv1.Key }

// decodeKey has no secrets where the body can't be decoded: nothing can be served
// from it either.
func decodeKey(body []byte) decodedKey {
	key := &policyv1.Key{}
	if proto.Unmarshal(body, key) != nil {
		return decodedKey{}
	}
	return decodedKey{key}
}

func (k decodedKey) secrets() (all [][]byte) {
	for _, hash := range [][]byte{k.GetSha256(), k.GetPreviousSha256()} {
		if len(hash) == 32 {
			all = append(all, hash)
		}
	}
	return all
}

func (k decodedKey) taken(id string, epoch, version int64) (out []taken) {
	for _, hash := range k.secrets() {
		out = append(out, taken{KeyID: id, SHA256: hash, Epoch: epoch, Version: version})
	}
	return out
}

// without are the secrets of k that now, the same key in a later release, has no more.
func (k decodedKey) without(now decodedKey, release *policyv1.Release) (out []taken) {
	for _, hash := range k.secrets() {
		if !bytes.Equal(hash, now.GetSha256()) && !bytes.Equal(hash, now.GetPreviousSha256()) {
			out = append(out, taken{SHA256: hash, Epoch: release.GetEpoch(), Version: release.GetVersion()})
		}
	}
	return out
}
