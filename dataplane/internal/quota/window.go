package quota

import (
	"math"
	"time"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// never is when a window ends that has no end.
const never = int64(math.MaxInt64)

// window is the lease of one window of an account; the account's lock is held for all of it.
// Amounts are in the quota's unit, moments in ns since the meter began.
type window struct {
	id string // the ledger's; empty: it has not said yet
	// What was granted, spent by requests that ended, and given back; each only grows.
	granted, spent, returned int64
	reserved                 int64 // by requests that go on
	// As the ledger told; others is what other agents hold.
	limit, free, others int64
	endsAt              time.Time
	// turns is when the next one can be asked for, over when no request begins in it: the
	// time of the call that told lies between.
	turns, over int64
	// What the ledger has confirmed, and when it was told last.
	toldSpent, toldReturned, toldAt int64
	unsure                          bool               // a call about it had no answer: more may be granted
	closing                         bool               // told to be closed
	carried                         []*agentv1.Holding // of the disk, that spent has and the ledger is to know
}

func (w *window) available() int64 { return w.granted - w.spent - w.returned - w.reserved }

// untold tells whether the ledger does not know all of it.
func (w *window) untold() bool {
	return w.unsure || w.spent != w.toldSpent || w.returned != w.toldReturned
}

// giveBack gives back what is left beyond so much.
func (w *window) giveBack(beyond int64) {
	if left := w.available() - beyond; left > 0 {
		w.returned += left
	}
}
