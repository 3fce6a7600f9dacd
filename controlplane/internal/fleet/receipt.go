package fleet

import (
	"sync"
	"time"

	"github.com/google/uuid"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Receipt says since when an agent has a set of revocations in force, of one epoch.
type Receipt struct {
	Epoch     int64
	AppliedAt time.Time
}

// receiptsOf has the set that the agent reports. It says how long ago it applied
// it: its clock may be wrong.
func receiptsOf(m *agentv1.ReportRequest, now time.Time) map[int64]Receipt {
	at := m.GetPosition()
	if at.GetRevocationVersion() <= 0 {
		return map[int64]Receipt{}
	}
	return map[int64]Receipt{
		at.GetRevocationVersion(): {Epoch: at.GetEpoch(), AppliedAt: ago(now, m.GetRevocationsInForceMs())},
	}
}

// maxNotes bounds what receiptNotes remember.
const maxNotes = 100_000

// receiptNotes are what each agent said last: every report says it again.
type receiptNotes struct {
	mu   sync.Mutex
	last map[uuid.UUID]receiptNote
}

type receiptNote struct{ epoch, version int64 }

func newReceiptNotes() *receiptNotes { return &receiptNotes{last: make(map[uuid.UUID]receiptNote)} }

// note takes out of a report what its agent said before.
func (n *receiptNotes) note(r *Report) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for version, receipt := range r.Receipts {
		said := receiptNote{receipt.Epoch, version}
		if n.last[r.AgentID] == said {
			delete(r.Receipts, version)
			continue
		}
		if len(n.last) >= maxNotes {
			clear(n.last)
		}
		n.last[r.AgentID] = said
	}
}
