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
	sorted := resources
	if !slices.IsSortedFunc(resources, compare) {
		sorted = slices.SortedFunc(slices.Values(resources), compare)
	}
	h := sha256.New()
	buffer := append(make([]byte, 0, 2*rootBuffer), "weir policy root v1\x00"...)
	for _, r := range sorted {
		for _, text := range []string{r.Kind, r.ID} {
			buffer = binary.BigEndian.AppendUint32(buffer, uint32(len(text)))
			buffer = append(buffer, text...)
		}
		if buffer = append(buffer, r.SHA256[:]...); len(buffer) >= rootBuffer {
			h.Write(buffer)
			buffer = buffer[:0]
		}
	}
	h.Write(buffer)
	return [sha256.Size]byte(h.Sum(nil))
}

// rootBuffer bytes are hashed at a time.
const rootBuffer = 4 << 10

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
