package proxy

import (
	"cmp"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// maxShownQuotas bounds what an answer lists.
const maxShownQuotas = 500

// shownQuotas are the quotas of a dry run, each once for the request or for a provider.
type shownQuotas struct {
	list []*agentv1.DryRunQuota
	of   map[shownQuota]*agentv1.DryRunQuota
}

type shownQuota struct {
	id       [16]byte
	provider string
}

// weigh finds the quotas that count the request of a dry run, by what usage may hold of its
// words, and tells whether one refuses it as a whole. Nothing is reserved or leased: what this
// agent does not hold it does not know.
func (e *exchange) weigh(m *agentv1.DryRun) *dialect.Refusal {
	e.shown.of = map[shownQuota]*agentv1.DryRunQuota{}
	e.words.User, e.words.Run = m.GetUser(), m.GetRun()
	for name, value := range m.GetMetadata() {
		e.words.Labels = append(e.words.Labels, redact.Label{Name: name, Value: value})
	}
	e.policy.Usage().Write(&e.words.Words, e.handler.config.Hasher(), &e.record)
	e.counted = e.policy.Counting(nil, e.key, e.route, e.record.EndUser, e.labelled)
	var refusal *dialect.Refusal
	for _, c := range e.counted {
		if ofRequests(c.Quota) {
			refusal = cmp.Or(refusal, e.consult(quota.Claim{Quota: c.Quota, Subject: c.Subject, Amount: 1}, "", nil))
		}
	}
	return refusal
}

// weighAttempt is weigh of one attempt on a target.
func (e *exchange) weighAttempt(target *snapshot.Target, input int64) *dialect.Refusal {
	w := worth{target: target, entry: target.Price.At(e.begun)}
	w.most, _ = bound(&e.request, input+e.request.Beside, w.entry)
	e.leg.sent, e.input = &e.request, input
	var refusal *dialect.Refusal
	ask := func(q *quota.Quota, subject, provider string) {
		amount, unfit := e.claim(q, &w)
		refusal = cmp.Or(refusal, e.consult(quota.Claim{Quota: q, Subject: subject, Amount: amount}, provider, unfit))
		if unfit == nil && refusal != nil && e.lacked != nil && e.lacked.told == refusal && e.shorten(&w, e.lacked.Refusal) {
			refusal = nil // its answer is cut
		}
	}
	for _, c := range e.counted {
		if !ofRequests(c.Quota) {
			ask(c.Quota, c.Subject, "")
		}
	}
	for _, q := range target.Provider.Quotas() {
		ask(q, "", target.Provider.Name)
	}
	return refusal
}

// consult shows what a quota would say to a claim, and is how it refuses it. unfit is why the
// quota can't hold it.
func (e *exchange) consult(c quota.Claim, provider string, unfit *dialect.Refusal) *dialect.Refusal {
	shown := e.shownOf(c.Quota, provider)
	shown.Reserved = max(shown.Reserved, c.Amount)
	s, known := e.handler.config.Quotas.Standing(c.Quota, c.Subject)
	if known {
		shown.Left, shown.Limit = proto.Int64(s.Left), proto.Int64(s.Limit)
	}
	lacking := unfit != nil || known && c.Amount > s.Left
	shown.Lacking = shown.Lacking || lacking
	switch {
	case !lacking, !c.Quota.Hard():
		return nil
	case unfit != nil:
		return unfit
	}
	why := quota.Held
	if s.Left == 0 {
		why = quota.Exhausted
	}
	return e.overQuota(&quota.Refusal{Quota: c.Quota, Subject: c.Subject, Why: why, Limit: s.Limit, Taken: s.Limit - s.Left, Available: s.Left})
}

func (e *exchange) shownOf(q *quota.Quota, provider string) *agentv1.DryRunQuota {
	key := shownQuota{q.ID, provider}
	if shown := e.shown.of[key]; shown != nil {
		return shown
	}
	shown := &agentv1.DryRunQuota{Id: uuid.UUID(q.ID).String(), Name: q.Name, Measure: q.Measure, Mode: q.Mode, Provider: provider}
	e.shown.of[key] = shown
	if len(e.shown.list) < maxShownQuotas {
		e.shown.list = append(e.shown.list, shown)
	}
	return shown
}
