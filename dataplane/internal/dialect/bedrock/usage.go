package bedrock

import (
	"crypto/sha256"
	"encoding/json"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// wireUsage are Bedrock's numbers. Input, cache reads and cache writes are disjoint;
// thinking is a part of output that is not told apart.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html and
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
type wireUsage struct {
	InputTokens, OutputTokens                   *int64
	CacheReadInputTokens, CacheWriteInputTokens int64
	// CacheDetails divide what was written by how long it is kept.
	CacheDetails []struct {
		TTL         string
		InputTokens int64
	}
}

// usageOf reads an object. Without input and output, or with numbers that are none, there
// are no tokens.
func usageOf(object []byte, tier string) chat.Usage {
	usage := chat.Usage{ServiceTier: tier}
	var wire wireUsage
	if len(object) == 0 || json.Unmarshal(object, &wire) != nil {
		return usage
	}
	if usage.Tokens = wire.tokens(); usage.Tokens != nil {
		sum := sha256.Sum256(object)
		usage.SHA256 = sum[:]
	}
	return usage
}

// tokens takes the total of what was written to the cache over its details.
func (u *wireUsage) tokens() *usagev1.TokenUsage {
	if u.InputTokens == nil || u.OutputTokens == nil {
		return nil
	}
	var hour int64
	for _, detail := range u.CacheDetails {
		if !possible(detail.InputTokens) {
			return nil
		}
		if detail.TTL == "1h" {
			hour += detail.InputTokens
		}
	}
	if !possible(*u.InputTokens) || !possible(*u.OutputTokens) || !possible(u.CacheReadInputTokens) || !possible(u.CacheWriteInputTokens) {
		return nil
	}
	hour = min(hour, u.CacheWriteInputTokens)
	return &usagev1.TokenUsage{Input: *u.InputTokens, Output: *u.OutputTokens, CacheRead: u.CacheReadInputTokens,
		CacheWrite_1H: hour, CacheWrite_5M: u.CacheWriteInputTokens - hour}
}

func possible(tokens int64) bool { return 0 <= tokens && tokens <= 1<<40 }
