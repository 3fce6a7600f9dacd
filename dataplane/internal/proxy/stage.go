package proxy

import (
	"sync/atomic"
	"time"
)

// stage is a part of what the agent itself does to a request.
type stage int

const (
	stageAuthenticate stage = iota
	stageRead
	stageParse
	stageAuthorise
	stageQuota
	stageChoose
	stageSpool
	stageTranslate
	stageWrite
	stageCount
)

// stageNames are in metrics.
var stageNames = [stageCount]string{"authenticate", "read", "parse", "authorise", "quota", "choose", "spool", "translate", "write"}

// stages is the time that a request spent in each, in nanoseconds by the monotonic clock. Two
// attempts may be under way.
type stages [stageCount]atomic.Int64

// since adds the time from begun to now, and returns now: the next stage begins.
func (s *stages) since(stage stage, begun time.Time) time.Time {
	now := time.Now()
	s[stage].Add(int64(now.Sub(begun)))
	return now
}
