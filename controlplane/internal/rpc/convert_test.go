package rpc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/report"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Conversions keep the numbers.
func TestEnumsAgree(t *testing.T) {
	for name, enums := range map[string][2]map[string]int32{
		"roles":      {eventv1.Role_value, adminv1.Role_value},
		"dialects":   {eventv1.Dialect_value, adminv1.Dialect_value},
		"strategies": {eventv1.Strategy_value, adminv1.Strategy_value},
		"stickiness": {eventv1.StickyBy_value, adminv1.StickyBy_value},
		"end users":  {eventv1.EndUsers_value, adminv1.EndUsers_value},
		"unpriced":   {eventv1.Unpriced_value, adminv1.Unpriced_value},
		"failures":   {eventv1.Failure_value, adminv1.Failure_value},
		"intervals": {
			{
				"INTERVAL_UNSPECIFIED": 0, "INTERVAL_MINUTE": int32(report.Minute), "INTERVAL_HOUR": int32(report.Hour), "INTERVAL_DAY": int32(report.Day),
				"INTERVAL_WEEK": int32(report.Week), "INTERVAL_MONTH": int32(report.Month),
			},
			adminv1.Interval_value,
		},
	} {
		if diff := cmp.Diff(enums[0], enums[1]); diff != "" {
			t.Errorf("%s of the API differ:\n%s", name, diff)
		}
	}
}
