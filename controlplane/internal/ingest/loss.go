package ingest

import (
	"errors"

	"github.com/ClickHouse/ch-go/proto"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// lost is what a tombstone counts: requests of applications and copies for shadows that
// were served without a record, their attempts, and those of them without a price.
type lost struct{ requests, shadows, attempts, unpriced int64 }

// addLoss takes over what a tombstone sums up. It is no request, and has no attempts of
// its own: its tokens and what it cost stand where those of a request do.
func (r row) addLoss(u *usagev1.UsageRecord, err error) (row, error) {
	from := u.GetLoss()
	r.lost = lost{from.GetRequests(), from.GetShadows(), from.GetAttempts(), from.GetUnpricedAttempts()}
	r.total = tokensOf(from.GetUsage())
	err = errors.Join(err,
		within("loss.requests", r.lost.requests, maxCount),
		within("loss.shadows", r.lost.shadows, maxCount),
		within("loss.attempts", r.lost.attempts, maxCount),
		within("loss.unpriced_attempts", r.lost.unpriced, r.lost.attempts),
		within("loss.cost_nano_usd", from.GetCostNanoUsd(), maxCostNano),
		withinTokens(r.total),
	)
	if from == nil || len(u.GetAttempts()) > 0 {
		err = errors.Join(err, errors.New("a tombstone has a loss, and no attempts of its own"))
	}
	if err != nil {
		return row{}, err
	}
	r.pricedUSD = nano(from.GetCostNanoUsd())
	if r.lost.unpriced == 0 {
		r.costUSD = proto.NewNullable(r.pricedUSD)
	}
	return r, nil
}

// withoutLoss refuses a sum of others in the record of one.
func withoutLoss(u *usagev1.UsageRecord) error {
	if u.Loss != nil {
		return errors.New("a loss in a record that is no tombstone")
	}
	return nil
}
