package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
)

// Digest is SHA-256 over every column of an event as it is stored. Texts carry
// their lengths, so that nothing can move from one column into the next.
func Digest(e eventlog.Event) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte("weir event v1\x00"))
	h.Write(e.OrganizationID[:])
	writeNumber(h, e.Version)
	writeText(h, []byte(e.Kind))
	h.Write(e.Subject[:])
	writeText(h, e.Payload)
	writeText(h, []byte(e.Actor))
	writeText(h, []byte(e.RequestID))
	writeNumber(h, e.RecordedAt.UnixMicro())
	writeText(h, []byte(e.Source.Address))
	writeText(h, []byte(e.Source.UserAgent))
	return [sha256.Size]byte(h.Sum(nil))
}

func writeNumber(h hash.Hash, n int64) {
	var eight [8]byte
	binary.BigEndian.PutUint64(eight[:], uint64(n))
	h.Write(eight[:])
}

func writeText(h hash.Hash, text []byte) {
	writeNumber(h, int64(len(text)))
	h.Write(text)
}
