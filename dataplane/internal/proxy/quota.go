package proxy

import (
	"bytes"
	"context"
	"slices"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// reservation is what a request as a whole, or one attempt of it, has of its quotas.
type reservation struct {
	quota.Reservation
	claims []quota.Claim
	// most that an attempt was reserved for.
	most price.Most
	// input is about how many tokens are sent.
	input int64
	// charges are in the record; their amounts are what was reserved until they are settled.
	charges []*usagev1.Charge
	// beyond are the quotas that would have refused it, were they hard.
	beyond [][]byte
	over   bool
}

// over is the context of what waits for nothing.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// reserve takes all claims or none.
func (e *exchange) reserve(claims []quota.Claim) (*reservation, *quota.Refusal) {
	ctx := e.r.Context()
	if e.hurried {
		ctx = over
	}
	r := &reservation{claims: claims}
	if refusal := e.handler.config.Quotas.Reserve(ctx, &r.Reservation, claims); refusal != nil {
		return nil, refusal
	}
	r.charges, r.beyond = r.AppendCharges(nil, nil), r.AppendBeyond(nil)
	return r, nil
}

// settle ends it with what each claim took; nil: what was reserved.
func (r *reservation) settle(took []int64) {
	if r == nil || r.over {
		return
	}
	r.over = true
	r.charges = r.AppendCharges(r.charges[:0], took)
	r.Settle(took)
}

// release ends it where nothing was used.
func (r *reservation) release() {
	if r == nil || r.over {
		return
	}
	r.over, r.charges, r.beyond = true, nil, nil
	r.Release()
}

// count finds the quotas that count the request, and takes it, and its slot, from those on
// requests as a whole.
func (e *exchange) count() *dialect.Refusal {
	if len(e.policy.Quotas()) == 0 {
		return nil
	}
	if e.words.User != "" && e.record.EndUser == "" && e.policy.CountsUsers() {
		return endUserUncounted
	}
	e.counted = e.policy.Counting(nil, e.key, e.route, e.record.EndUser, e.labelled)
	var claims []quota.Claim
	for _, c := range e.counted {
		if ofRequests(c.Quota) {
			claims = append(claims, quota.Claim{Quota: c.Quota, Subject: c.Subject, Amount: 1})
		}
	}
	if len(claims) == 0 {
		return nil
	}
	whole, refused := e.reserve(claims)
	if refused != nil {
		return e.overQuota(refused)
	}
	e.whole, e.reservations = whole, append(e.reservations, whole)
	return nil
}

// ofRequests tells quotas that count requests, whatever they take.
func ofRequests(q *quota.Quota) bool {
	return q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_REQUESTS || q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_CONCURRENT_REQUESTS
}

// labelled is what usage says of a label.
func (e *exchange) labelled(name string) (value string, said bool) {
	for _, label := range e.record.Labels {
		if label.Name == name {
			return label.Value, true
		}
	}
	return "", false
}

// afford reserves what an attempt on the target can take at most, and cuts its output to what
// is left where that is less.
func (e *exchange) afford(target *snapshot.Target) *dialect.Refusal {
	e.reserved.release()
	e.reserved = nil
	if len(e.counted) == 0 && len(target.Provider.Quotas()) == 0 {
		return nil
	}
	w := worth{target: target, entry: target.Price.At(e.begun)}
	w.most, _ = bound(e.leg.sent, e.leg.sent.MaxInput(e.leg.body.bytes, e.limit(target).Compatible), w.entry)
	claims, refusal := e.claims(&w)
	if refusal != nil || len(claims) == 0 {
		return refusal
	}
	reserved, refused := e.reserve(claims)
	for tries := len(claims); refused != nil; tries-- { // each of them may have less than the one before
		if tries == 0 || !e.shorten(&w, refused) {
			return e.overQuota(refused)
		}
		if claims, refusal = e.claims(&w); refusal != nil {
			return refusal
		}
		reserved, refused = e.reserve(claims)
	}
	e.reserved, reserved.most, reserved.input = reserved, w.most, min(e.likelyInput(), w.most.Input)
	if w.held {
		return e.hold(&w)
	}
	return nil
}

// hold has the upstream held to the output that was reserved; a compatible one, which may not
// know the caller's own cap, even where it has that.
func (e *exchange) hold(w *worth) *dialect.Refusal {
	output := w.most.Output / max(e.leg.sent.Choices, 1)
	if e.leg.sent.NoOutput || output == e.leg.sent.MaxOutput && !e.leg.limit.Compatible {
		return nil
	}
	if e.leg.translation != nil {
		e.capped = output
		defer func() { e.capped = 0 }()
		return e.address(w.target)
	}
	sent := *e.leg.sent
	sent.MaxOutput = output
	e.leg.sent, e.leg.limit.Tokens = &sent, output
	return nil
}

// worth is what an attempt on a target can take.
type worth struct {
	target *snapshot.Target
	entry  *price.Entry // nil: there is no price
	most   price.Most
	// held: a hard quota reserves it, so that the upstream has to be held to most.
	held bool
}

// worst is the most that an attempt can cost; nil: that is not known.
func (e *exchange) worst(w *worth) *int64 {
	if cost := worst(w.entry, asked(w.target, e.leg.sent), w.most, e.request.Unpriced && e.leg.sent.Unpriced); cost != nil {
		return cost
	}
	if entry := e.policy.StandIn().At(e.begun); entry != nil {
		return known(entry.WorstCase(w.most))
	}
	return nil
}

// unbounded is why an attempt may take more than most; nil: it does not.
func (w *worth) unbounded(sent *dialect.Request) *dialect.Unbounded {
	var maxInput, maxOutput int64
	if w.entry != nil {
		maxInput, maxOutput = w.entry.MaxInputTokens(), w.entry.MaxOutputTokens()
	}
	return sent.Unbounded(maxInput, maxOutput)
}

// claims of an attempt. A hard quota refuses what has no bound, or no price.
func (e *exchange) claims(w *worth) (claims []quota.Claim, refusal *dialect.Refusal) {
	w.held = false
	add := func(q *quota.Quota, subject string) {
		if refusal != nil || e.free(q) {
			return
		}
		claim := quota.Claim{Quota: q, Subject: subject}
		if claim.Amount, refusal = e.claim(q, w); refusal == nil {
			claims = append(claims, claim)
		}
	}
	for _, c := range e.counted {
		if !ofRequests(c.Quota) {
			add(c.Quota, c.Subject)
		}
	}
	for _, q := range w.target.Provider.Quotas() {
		add(q, "")
	}
	return claims, refusal
}

// free tells whether the request takes nothing of a quota: to have tokens counted costs none.
func (e *exchange) free(q *quota.Quota) bool { return e.surface.count != nil && !ofRequests(q) }

func (e *exchange) claim(q *quota.Quota, w *worth) (amount int64, refusal *dialect.Refusal) {
	hard := q.Hard() && q.Kind() == quota.Amounts
	if ofRequests(q) {
		return 1, nil
	}
	if forecasts(q) {
		likely := *w
		likely.most = e.likely(w.target, w.most)
		w = &likely
	}
	if hard {
		if q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_COST && !e.leg.sent.Unpriced && e.worst(w) == nil {
			return 0, unpriced(q, w.target)
		}
		if why := w.unbounded(e.leg.sent); why != nil {
			return 0, unbounded(q, why)
		}
	}
	switch {
	case q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS && q.Kind() == quota.Amounts:
		w.held = w.held || hard
		return w.most.Input + w.most.Output, nil
	case q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS:
		return min(e.likelyInput(), w.most.Input), nil // what comes out is taken as it comes
	}
	cost := e.worst(w)
	switch {
	case cost != nil:
		w.held = w.held || hard
		return *cost, nil
	case hard:
		return 0, unpriced(q, w.target)
	}
	return 0, nil
}

// minOutput is the shortest answer, in tokens, that a request is cut to for want of money:
// a shorter one helps nobody. Callers that ask for less are not cut.
const minOutput = 64

// shorten cuts the output of an attempt to what a quota has left. False: that is too little,
// or its output is not what the quota lacks.
func (e *exchange) shorten(w *worth, refused *quota.Refusal) bool {
	q := refused.Quota
	if refused.Why.OurFault() || !q.Hard() || q.Kind() != quota.Amounts || ofRequests(q) || e.leg.sent.NoOutput {
		return false
	}
	choices := max(e.leg.sent.Choices, 1)
	fits := func(output int64) bool {
		shorter := *w
		shorter.most.Output = output * choices
		if q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS {
			return shorter.most.Input+shorter.most.Output <= refused.Available
		}
		cost := e.worst(&shorter)
		return cost != nil && *cost <= refused.Available
	}
	low, high := max(minOutput, e.leg.sent.Caps.Least), w.most.Output/choices
	if low >= high || !fits(low) {
		return false
	}
	for high-low > 1 {
		if middle := low + (high-low)/2; fits(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	w.most.Output = low * choices
	return true
}

// settleQuotas ends what the attempt reserved. Where nobody said what it used, that is as it
// was reserved, and of what was forecast all that the record has.
func (u *upstream) settleQuotas() {
	r, a := u.reserved, u.attempt
	if r == nil {
		return
	}
	if a.UsageSource == usagev1.UsageSource_USAGE_SOURCE_NONE {
		r.release()
		return
	}
	took := make([]int64, len(r.claims))
	for i, c := range r.claims {
		took[i] = c.Amount
		if a.UsageSource == usagev1.UsageSource_USAGE_SOURCE_REPORTED || a.UsageSource == usagev1.UsageSource_USAGE_SOURCE_ESTIMATED && forecasts(c.Quota) {
			took[i] = taken(c, a)
		}
	}
	u.learn()
	r.settle(took)
}

// taken is what an attempt took of a claim, by its usage in the record.
func taken(c quota.Claim, a *usagev1.Attempt) int64 {
	switch {
	case ofRequests(c.Quota):
		return c.Amount
	case c.Quota.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS:
		return allTokens(a.Usage)
	case a.CostNanoUsd == nil: // it used what has no price
		return c.Amount
	}
	return a.GetCostNanoUsd()
}

func allTokens(u *usagev1.TokenUsage) int64 {
	input, output := tokens(u)
	return input + output
}

// charge puts into the record what the request took so far, and what it went beyond.
func (e *exchange) charge() {
	if len(e.reservations) == 0 {
		return
	}
	e.record.Charges, e.record.BeyondQuotaIds = e.record.Charges[:0], e.record.BeyondQuotaIds[:0]
	for _, r := range e.reservations {
		e.record.Charges = append(e.record.Charges, r.charges...)
		for _, id := range r.beyond {
			if !slices.ContainsFunc(e.record.BeyondQuotaIds, func(other []byte) bool { return bytes.Equal(id, other) }) {
				e.record.BeyondQuotaIds = append(e.record.BeyondQuotaIds, id)
			}
		}
	}
}

// endQuotas gives back what no attempt will use.
func (e *exchange) endQuotas() {
	e.reserved.release()
	e.whole.release()
}
