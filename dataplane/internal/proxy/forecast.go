package proxy

import (
	"github.com/weirhq/weir/dataplane/internal/forecast"
	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/price"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// maxForecasts is of how many keys, routes and models the lengths of answers are known: 2.6 MB.
const maxForecasts = 4096

// forecasts tells quotas that reserve what is likely, and let it grow: amounts that refuse
// nobody for it.
func forecasts(q *quota.Quota) bool {
	return !q.Hard() && q.Kind() == quota.Amounts && !ofRequests(q)
}

func (e *exchange) kind(target *snapshot.Target) forecast.Kind {
	return forecast.Kind{Key: e.key.ID, Route: e.route.ID, Model: target.Model}
}

// likely is what nine in ten attempts on the target do not exceed, going by those before it;
// most, where too few are known.
func (e *exchange) likely(target *snapshot.Target, most price.Most) price.Most {
	output, known := e.handler.outputs.Expect(e.kind(target), e.begun)
	if known {
		most.Input = min(most.Input, e.likelyInput()+e.leg.sent.Beside)
		most.Output = min(most.Output, output)
	}
	return most
}

// learn notes how long the answer was, where a quota goes by that.
func (u *upstream) learn() {
	if u.attempt.UsageSource != usagev1.UsageSource_USAGE_SOURCE_REPORTED {
		return
	}
	e := u.exchange
	for i := range u.reserved.claims {
		if forecasts(u.reserved.claims[i].Quota) {
			_, output := tokens(u.attempt.Usage)
			e.handler.outputs.Note(e.kind(u.target), output, e.handler.config.Now())
			return
		}
	}
}
