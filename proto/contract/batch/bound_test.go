package batch_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestBound(t *testing.T) {
	attempt := func(output int64, cost *int64) *usagev1.Attempt {
		return &usagev1.Attempt{Usage: &usagev1.TokenUsage{Input: 7, Output: output}, CostNanoUsd: cost}
	}
	saved := func(cost, nano int64) *usagev1.Attempt {
		return &usagev1.Attempt{CostNanoUsd: proto.Int64(cost), CacheSavedNanoUsd: proto.Int64(nano)}
	}
	for name, c := range map[string]struct{ given, want *usagev1.Attempt }{
		"ordinary":             {attempt(20, proto.Int64(13_200)), attempt(20, proto.Int64(13_200))},
		"unpriced":             {attempt(20, nil), attempt(20, nil)},
		"at_the_bounds":        {attempt(batch.MaxTokens, proto.Int64(batch.MaxCostNanoUSD)), attempt(batch.MaxTokens, proto.Int64(batch.MaxCostNanoUSD))},
		"more_tokens_than_fit": {attempt(math.MaxInt64, proto.Int64(5)), attempt(batch.MaxTokens, nil)},
		"fewer_than_none":      {attempt(-1, proto.Int64(5)), attempt(0, nil)},
		"costs_more_than_fits": {attempt(20, proto.Int64(math.MaxInt64)), attempt(20, nil)},
		"costs_less_than_none": {attempt(20, proto.Int64(-1)), attempt(20, nil)},
		"saved":                {saved(13_200, -7), saved(13_200, -7)},
		"saved_by_unpriced":    {saved(-1, 7), &usagev1.Attempt{}},
		"saved_more_than_fits": {saved(1, math.MinInt64), &usagev1.Attempt{CostNanoUsd: proto.Int64(1)}},
		"no_usage":             {&usagev1.Attempt{}, &usagev1.Attempt{}},
	} {
		t.Run(name, func(t *testing.T) {
			batch.Bound(c.given)
			if diff := cmp.Diff(c.want, c.given, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
