package control

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// revocationMagic begins the file; SHA-256 of the rest and serialized
// SignedRevocations follow.
const revocationMagic = "weirrev1"

// revocationFile keeps the latest set of revocations beside the slots.
type revocationFile struct {
	path string
	held *signedSet // nil: none, or unknown
}

// write does nothing where the file has the set already, or a later one.
func (r *revocationFile) write(set *signedSet) error {
	if set.signed == nil || r.held != nil && !r.replaces(set) {
		return nil
	}
	body, err := proto.Marshal(set.signed)
	if err != nil {
		return fmt.Errorf("encode revocations: %w", err)
	}
	if err := writeFile(r.path, summed(revocationMagic, body)...); err != nil {
		return err
	}
	r.held = set
	return nil
}

// replaces: the same set by another key goes in, too, for that of before will be
// forgotten.
func (r *revocationFile) replaces(set *signedSet) bool {
	if newer(set.epoch(), set.version(), r.held.epoch(), r.held.version()) {
		return true
	}
	return set.epoch() == r.held.epoch() && set.version() == r.held.version() && set.signed.GetSigningKeyId() != r.held.signed.GetSigningKeyId()
}

// read returns a set that the organization signed for this agent; nil: there is none.
func (r *revocationFile) read(identity *Identity) (*signedSet, error) {
	r.held = nil
	raw, err := readSlotFile(r.path)
	if err != nil {
		return nil, err
	}
	signed := &policyv1.SignedRevocations{}
	if len(raw) < slotHead || !isSummed(revocationMagic, raw) {
		return nil, fmt.Errorf("%w: wrong checksum", errDamaged)
	}
	if err := proto.Unmarshal(raw[slotHead:], signed); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	r.held, err = identity.revocations(signed)
	return r.held, err
}
