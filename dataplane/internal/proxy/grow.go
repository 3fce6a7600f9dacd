package proxy

import (
	"github.com/weirhq/weir/dataplane/internal/quota"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// growStep is by how many tokens an answer gets longer before quotas are told.
const growStep = 16

// growth is what quotas know of a stream's output.
type growth struct{ told int64 }

// grows tells whether a claim takes more as the answer gets longer: those that are not for all
// that it can take.
func (r *reservation) grows() bool {
	if r == nil {
		return false
	}
	for i := range r.claims {
		if growing(r.claims[i].Quota) {
			return true
		}
	}
	return false
}

func growing(q *quota.Quota) bool {
	return forecasts(q) || q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS && q.Kind() == quota.Rates
}

// grow has quotas know how long the answer is so far, so that requests beside it find less:
// by its bytes until usage tells. What was too much comes back when it is settled. While
// another attempt may decide the request there is nothing to tell.
func (s *stream) grow() {
	if !s.said.Estimates || !s.single() {
		return
	}
	usage := s.said.Answer.Usage
	input, output := s.reserved.input, s.said.Text/bytesPerToken
	if usage != nil {
		in, out := tokens(usage)
		input, output = in, max(output, out)
	}
	if output-s.growth.told < growStep {
		return
	}
	s.growth.told = output
	for i := range s.reserved.claims {
		c := &s.reserved.claims[i]
		switch entry := s.entry(); {
		case !growing(c.Quota):
		case c.Quota.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_TOKENS:
			s.reserved.growTo(i, input+output)
		case entry != nil:
			if cost, priced := entry.Expected(input, output); priced {
				s.reserved.growTo(i, cost)
			}
		}
	}
}

// growTo has a claim take so much, if that is more than it did.
func (r *reservation) growTo(i int, amount int64) {
	if c := &r.claims[i]; amount > c.Amount && !r.over {
		r.Grow(i, amount-c.Amount)
		c.Amount = amount
	}
}
