package snapshot

import (
	"fmt"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// revocations is the cumulative set that comes beside releases.
type revocations struct {
	version int64
	hashes  map[[32]byte]*Key // of keys that the policy may not have any more
	ids     map[string]bool
	secrets map[[32]byte]bool // of keys that live with another
}

func (r revocations) has(sha256 [32]byte, key *Key) bool {
	return r.hashes[sha256] != nil || key != nil && (key.revoked || r.ids[key.ID])
}

// WithRevocations is the same policy under another set of revocations. Nil
// means an empty set. The receiver is not changed.
func (p *Policy) WithRevocations(set *policyv1.Revocations) (*Policy, error) {
	compiled, reasons := compileRevocations(set)
	if len(reasons) > 0 {
		return nil, &InvalidError{Reasons: reasons}
	}
	return &Policy{content: p.content, revocations: compiled}, nil
}

func compileRevocations(set *policyv1.Revocations) (revocations, []string) {
	r := revocations{
		version: set.GetVersion(),
		hashes:  make(map[[32]byte]*Key, len(set.GetRevocations())),
		ids:     make(map[string]bool, len(set.GetRevocations())),
		secrets: make(map[[32]byte]bool),
	}
	var reasons []string
	for _, revoked := range set.GetRevocations() {
		if len(revoked.GetKeySha256()) != 32 {
			reasons = append(reasons, fmt.Sprintf("revocation of key %s: its hash has %d bytes", revoked.GetKeyId(), len(revoked.GetKeySha256())))
			continue
		}
		hash := [32]byte(revoked.GetKeySha256())
		if revoked.GetKeyId() == "" {
			r.secrets[hash] = true
			continue
		}
		r.ids[revoked.GetKeyId()] = true
		r.hashes[hash] = &Key{ID: revoked.GetKeyId(), revoked: true}
	}
	return r, reasons
}
