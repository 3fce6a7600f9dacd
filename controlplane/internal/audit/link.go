// Package audit makes the log tamper-evident. Each append is one link of its
// organization's chain: the digests of its events, and a code over them and over
// the link before, made with a key that Postgres holds only wrapped. Who can write
// to Postgres but lacks the house key can't change, add or remove a row unseen,
// but for the newest links all together: an anchor kept elsewhere shows that.
package audit

import (
	"crypto/hmac"
	"crypto/sha256"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
)

// link covers the versions first to last of one organization.
type link struct {
	organization uuid.UUID
	first, last  int64
	late         bool
	keyID        uuid.UUID
	previous     []byte
	digests      []byte
	code         []byte
}

// Link queues the link of an append; it is a pglog.Link.
func (k *Keyring) Link(batch *pgx.Batch, previous []byte, recorded []eventlog.Event) {
	k.link(previous, recorded, false).queue(batch)
}

// link is for one event or more.
func (k *Keyring) link(previous []byte, events []eventlog.Event, late bool) link {
	l := link{
		organization: events[0].OrganizationID, first: events[0].Version, last: events[len(events)-1].Version,
		late: late, keyID: k.newest, previous: previous,
	}
	for _, e := range events {
		sum := Digest(e)
		l.digests = append(l.digests, sum[:]...)
	}
	l.code = l.authenticate(k.keys[k.newest])
	return l
}

func (l link) authenticate(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("weir audit link v1\x00"))
	h.Write(l.organization[:])
	h.Write(l.keyID[:])
	writeNumber(h, l.first)
	writeNumber(h, l.last)
	late := int64(0)
	if l.late {
		late = 1
	}
	writeNumber(h, late)
	writeText(h, l.previous)
	writeText(h, l.digests)
	return h.Sum(nil)
}

func (l link) queue(batch *pgx.Batch) {
	const insert = `INSERT INTO audit_link (organization_id, first, last, late, key_id, previous, digests, code)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	previous := l.previous
	if previous == nil {
		previous = []byte{} // NULL otherwise
	}
	batch.Queue(insert, l.organization, l.first, l.last, l.late, l.keyID, previous, l.digests, l.code)
}

func (l link) digest(version int64) []byte {
	at := (version - l.first) * sha256.Size
	return l.digests[at : at+sha256.Size]
}
