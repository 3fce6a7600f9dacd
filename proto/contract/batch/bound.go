package batch

import (
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Bounds of what a store keeps of one attempt.
const (
	MaxTokens      = int64(1) << 50              // of one bucket: sums of 64 stay in int64
	MaxCostNanoUSD = int64(1e18)/MaxAttempts - 1 // the sum of a request fits Decimal(18, 9)
)

// Bound brings an attempt within what stores keep, whatever a provider claimed or
// a caller asked for: counts are cut to the bound, and such an attempt, or one that
// would cost more than the bound, has no known cost, and nothing is known to be saved.
func Bound(a *usagev1.Attempt) {
	cut := false
	if u := a.GetUsage(); u != nil {
		for _, count := range []*int64{
			&u.Input, &u.CacheRead, &u.CacheWrite_5M, &u.CacheWrite_1H,
			&u.Output, &u.Reasoning, &u.InputAudio, &u.OutputAudio,
			&u.InputImage, &u.OutputImage, &u.Images,
		} {
			if within := min(max(*count, 0), MaxTokens); within != *count {
				*count, cut = within, true
			}
		}
	}
	if cost := a.GetCostNanoUsd(); cut || cost < 0 || cost > MaxCostNanoUSD {
		a.CostNanoUsd, a.PriceEstimated = nil, false
	}
	if saved := a.GetCacheSavedNanoUsd(); a.CostNanoUsd == nil || saved < -MaxCostNanoUSD || saved > MaxCostNanoUSD {
		a.CacheSavedNanoUsd = nil
	}
}

// Bounds of a tombstone's sums: what a store keeps of them. Of tokens it is MaxTokens a
// bucket.
const (
	MaxLossCount       = int64(1) << 50
	MaxLossCostNanoUSD = int64(1e18) - 1 // fits Decimal(18, 9)
)
