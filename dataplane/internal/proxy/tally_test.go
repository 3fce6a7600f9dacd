package proxy

import (
	"testing"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestTally(t *testing.T) {
	for name, c := range map[string]struct {
		outcome            usagev1.Outcome
		status             int32
		requests, failures int64
	}{
		"answered":                    {usagev1.Outcome_OUTCOME_OK, 200, 1, 0},
		"upstream_in_trouble":         {usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 503, 1, 1},
		"error_under_200":             {usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 200, 1, 1},
		"credential_refused":          {usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 401, 1, 1},
		"model_unknown":               {usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 404, 1, 1},
		"rate_limited":                {usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 429, 1, 1},
		"the_callers_body_was_wrong":  {usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 400, 1, 0},
		"no_connection":               {usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE, 502, 1, 1},
		"broke_off":                   {usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, 200, 1, 1},
		"no_credential_here":          {usagev1.Outcome_OUTCOME_REFUSED, 503, 1, 1},
		"refused_for_what_was_sent":   {usagev1.Outcome_OUTCOME_REFUSED, 403, 0, 0},
		"the_caller_left":             {usagev1.Outcome_OUTCOME_CLIENT_CLOSED, 200, 0, 0},
		"a_surface_that_has_no_usage": {usagev1.Outcome_OUTCOME_UNSPECIFIED, 200, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := &Handler{}
			h.tally.count(c.outcome, c.status)
			if requests, failures := h.Tally(); requests != c.requests || failures != c.failures {
				t.Errorf("%d requests, %d failures", requests, failures)
			}
		})
	}
}
