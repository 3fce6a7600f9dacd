package ledger

import (
	"math/bits"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/alert"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// telling is what alerts about a budget need to know.
type telling struct {
	name, mode string
	// percents ascend.
	percents []int32
	channels []uuid.UUID
}

// modeNames are what messages call the modes that count.
var modeNames = map[eventv1.QuotaMode]string{
	eventv1.QuotaMode_QUOTA_MODE_HARD:   "hard",
	eventv1.QuotaMode_QUOTA_MODE_SOFT:   "soft",
	eventv1.QuotaMode_QUOTA_MODE_SHADOW: "shadow",
}

// raised is an alert that goes with the transaction.
type raised struct {
	says     alert.Threshold
	channels []uuid.UUID
	// made: it was neither raised before nor one too many.
	made bool
}

// raise notes which accounts reached a percent that nobody was told of yet. All that is
// spent comes through an entry; where nothing is reached, that is one comparison each.
func (b *book) raise() {
	for _, e := range b.entries() {
		if e.quota == nil || e.quota.telling == nil || !e.account.there {
			continue
		}
		limit, spent, told := e.limit, e.account.spent, e.account.told
		if e.account.rolling {
			if !e.present { // its room is no limit; what it spent counts in the present sub-window
				continue
			}
			spent, told = add(spent, e.others.spent), max(told, e.others.told)
		}
		for _, percent := range e.quota.telling.percents {
			if percent > told && reaches(spent, limit, percent) {
				b.tell(e, percent, spent)
			}
		}
	}
}

// tell raises one alert; the account is told of it in the same transaction.
func (b *book) tell(e *entry, percent int32, spent int64) {
	says := alert.Threshold{
		BudgetID: e.key.quota, Budget: e.quota.telling.name, Mode: e.quota.telling.mode, Percent: percent,
		Subject: e.key.subject, Window: e.key.window, LimitNanoUSD: e.limit, SpentNanoUSD: spent,
	}
	says.StartsAt, says.EndsAt = bounds(e.quota.shown(e.span))
	e.account.told, e.account.dirty = percent, true
	b.state.raised = append(b.state.raised, raised{says: says, channels: e.quota.telling.channels})
}

// reaches tells whether spent is at least so many percent of the limit.
func reaches(spent, limit int64, percent int32) bool {
	if spent <= 0 {
		return false
	}
	spentHigh, spentLow := bits.Mul64(uint64(spent), 100)
	boundHigh, boundLow := bits.Mul64(uint64(max(0, limit)), uint64(max(0, percent)))
	return spentHigh > boundHigh || spentHigh == boundHigh && spentLow >= boundLow
}

// queueRaise tells whether there is any alert: it must be on disk before somebody is told.
func (r *rows) queueRaise(batch *pgx.Batch, s *state, now time.Time) (forced bool, err error) {
	for i := range s.raised {
		one := &s.raised[i]
		a, err := one.says.Alert(r.organization, now)
		if err != nil {
			return false, err
		}
		a.Queue(batch, r.organization, one.channels, func(made bool) { one.made = made })
	}
	return len(s.raised) > 0, nil
}
