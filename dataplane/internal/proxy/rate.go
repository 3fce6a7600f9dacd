package proxy

import (
	"sync"
	"time"
)

// refusalsPerSecond of one key are recorded where a refusal costs its caller
// nothing: enough to see who is at it and since when, and less than a key that
// works can write.
const refusalsPerSecond = 10

// rate counts what each key had recorded in this second.
type rate struct {
	mu     sync.Mutex
	second int64
	counts map[string]int
}

// take tells whether one more fits.
func (r *rate) take(keyID string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if second := now.Unix(); second != r.second || r.counts == nil {
		r.second, r.counts = second, map[string]int{}
	}
	r.counts[keyID]++
	return r.counts[keyID] <= refusalsPerSecond
}
