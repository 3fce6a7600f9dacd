// Package digest computes what both planes must agree on bit for bit: the root
// of a policy and the messages that policy signatures cover. It does no I/O and
// holds no keys.
package digest

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Resource identifies the content of one policy resource.
type Resource struct {
	Kind   string
	ID     string
	SHA256 [sha256.Size]byte
}

// Of returns the identity of a resource with these serialized bytes.
func Of(kind, id string, body []byte) Resource {
	return Resource{Kind: kind, ID: id, SHA256: sha256.Sum256(body)}
}

// Root hashes resources in the order of (kind, id), whatever order they came in:
// SHA-256 over, for each, the lengths of kind and id as big-endian uint32, their
// bytes, and the 32 bytes of the content's SHA-256. The argument is not changed.
func Root(resources []Resource) [sha256.Size]byte {
	sorted := slices.SortedFunc(slices.Values(resources), compare)
	h := sha256.New()
	h.Write([]byte("weir policy root v1\x00"))
	var length [4]byte
	for _, r := range sorted {
		for _, text := range []string{r.Kind, r.ID} {
			binary.BigEndian.PutUint32(length[:], uint32(len(text)))
			h.Write(length[:])
			h.Write([]byte(text))
		}
		h.Write(r.SHA256[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func compare(a, b Resource) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.ID, b.ID),
		slices.Compare(a.SHA256[:], b.SHA256[:]),
	)
}

// ReleaseMessage is what the signature of a release covers.
func ReleaseMessage(release []byte) []byte {
	return append([]byte("weir policy release v1\x00"), release...)
}

// RevocationsMessage is what the signature of a set of revocations covers.
func RevocationsMessage(revocations []byte) []byte {
	return append([]byte("weir revocations v1\x00"), revocations...)
}
