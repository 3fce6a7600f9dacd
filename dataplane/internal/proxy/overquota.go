package proxy

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	codeBudgetExceeded = "budget_exceeded"
	codeRateLimited    = "rate_limited"
	// codeQuotaUnavailable is no fault of the caller's, and says nothing of what is left.
	codeQuotaUnavailable = "quota_unavailable"
	codeBudgetUnbounded  = "budget_unbounded"
	codeBudgetUnpriced   = "budget_unpriced"
)

var endUserUncounted = unavailable(codeQuotaUnavailable, "This agent has no key to make hashes of end users with, and a quota counts them apart.")

// lack is what a quota does not cover, and what the caller is told of it if nothing else is.
type lack struct {
	*quota.Refusal
	told *dialect.Refusal
}

// overQuota is a request, or an attempt of it, that a quota does not cover.
func (e *exchange) overQuota(r *quota.Refusal) *dialect.Refusal {
	e.lacked = &lack{r, overQuota(r)}
	return e.lacked.told
}

// refusing is what a quota does not cover, where that is why the request is refused; nil: it is
// not.
func (e *exchange) refusing(refusal *dialect.Refusal) *lack {
	if l := e.lacked; l != nil && l.told == refusal {
		return l
	}
	return nil
}

// tellQuota says in the header which quota refuses the request, if one does, and when to come
// again.
func (e *exchange) tellQuota(refusal *dialect.Refusal) {
	l := e.refusing(refusal)
	if l == nil {
		return
	}
	header := e.w.Header()
	header["X-Weir-Quota"] = []string{l.Quota.Name}
	if l.RetryAfter > 0 {
		header["Retry-After"] = []string{strconv.FormatInt(seconds(l.RetryAfter), 10)}
	}
}

func overQuota(r *quota.Refusal) *dialect.Refusal {
	if r.Why.OurFault() {
		return unavailable(codeQuotaUnavailable, fmt.Sprintf("What is left of the %s %q is not known to this agent now (%s), and it is a hard one. Try again later.", thing(r.Quota), r.Quota.Name, r.Why))
	}
	return &dialect.Refusal{Status: http.StatusTooManyRequests, Code: quotaCode(r.Quota), Message: quotaMessage(r)}
}

func quotaCode(q *quota.Quota) dialect.Code {
	if q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_COST {
		return codeBudgetExceeded
	}
	return codeRateLimited
}

func thing(q *quota.Quota) string {
	if q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_COST {
		return "budget"
	}
	return "limit"
}

func quotaMessage(r *quota.Refusal) string {
	until := ""
	if !r.Ends.IsZero() {
		until = " until " + r.Ends.UTC().Format(time.RFC3339)
	}
	switch {
	case r.Quota.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_COST && r.Why == quota.Exhausted:
		return fmt.Sprintf("The budget %q of $%s is spent%s. Who administers this gateway can raise it.", r.Quota.Name, dollars(r.Limit), until)
	case r.Quota.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_COST && r.Stays:
		return fmt.Sprintf("The budget %q has $%s of $%s left%s, less than this request may cost. Ask for fewer output tokens, or have who administers this gateway raise it.",
			r.Quota.Name, dollars(r.Available), dollars(r.Limit), until)
	case r.Quota.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_COST:
		return fmt.Sprintf("The budget %q has $%s of $%s left%s, less than this request may cost. Ask for fewer output tokens, or try again when other requests have ended.",
			r.Quota.Name, dollars(r.Available), dollars(r.Limit), until)
	case r.Quota.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_CONCURRENT_REQUESTS:
		return fmt.Sprintf("The limit %q of %d requests at once is reached. Try again when one of them has ended.", r.Quota.Name, r.Quota.Amount)
	}
	return fmt.Sprintf("The limit %q of %d %s is reached%s.", r.Quota.Name, r.Quota.Amount, per(r.Quota), until)
}

// per says what a limit counts, and in which time.
func per(q *quota.Quota) string {
	what := "requests"
	if q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS {
		what = "tokens"
	}
	switch q.Window {
	case time.Second:
		return what + " a second"
	case time.Minute:
		return what + " a minute"
	case time.Hour:
		return what + " an hour"
	case 24 * time.Hour:
		return what + " a day"
	}
	return what
}

// unbounded is a request of which nobody can say how much it takes at most.
func unbounded(q *quota.Quota, why *dialect.Unbounded) *dialect.Refusal {
	return &dialect.Refusal{Status: http.StatusBadRequest, Code: codeBudgetUnbounded, Param: why.Field,
		Message: fmt.Sprintf("The %s %q is a hard one, and nothing bounds what this request can take. %s", thing(q), q.Name, why.Message)}
}

func unpriced(q *quota.Quota, target *snapshot.Target) *dialect.Refusal {
	return &dialect.Refusal{Status: http.StatusBadRequest, Code: codeBudgetUnpriced,
		Message: clip(fmt.Sprintf("The budget %q is a hard one, and the price of the model %q of the provider %q is not known. Who administers this gateway can add it as a price override.", q.Name, target.Model, target.Provider.Name))}
}
