package proxy

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// How the waiting of a request for an upstream's account ended, in metrics.
const (
	queueServed    = "served"
	queueExpired   = "expired"
	queueDisplaced = "displaced"
	queueLeft      = "left"
	// These two never waited.
	queueLate = "late"
	queueFull = "full"
)

// queueBuckets are in seconds, up to the longest that a queue lets wait.
var queueBuckets = []float64{.001, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// callerLeft is of a request whose caller did not wait until anybody was asked.
var callerLeft = &dialect.Refusal{}

// queued is a request that waits, may wait or has waited for an upstream's account.
type queued struct {
	// target that it may wait for, of those passed over the one that is free first.
	target *snapshot.Target
	wait   time.Duration
	turn   *balance.Turn // that came, and no attempt used yet; nil: none
	// waited: it did, for so long.
	waited bool
	took   time.Duration
}

var priorityClass = map[policyv1.Priority]balance.Class{
	policyv1.Priority_PRIORITY_BATCH:       balance.Batch,
	policyv1.Priority_PRIORITY_NORMAL:      balance.Normal,
	policyv1.Priority_PRIORITY_INTERACTIVE: balance.Interactive,
}

// mayQueue notes a target that was passed over and that requests may wait for.
func (e *exchange) mayQueue(target *snapshot.Target, wait time.Duration) {
	switch {
	case e.queue == nil:
		e.queue = &queued{target: target, wait: wait}
	case e.queue.target == nil || wait < e.queue.wait:
		e.queue.target, e.queue.wait = target, wait
	}
}

// inTurn is what becomes of a request that no target is left for: its first attempt waits for
// one whose provider has a queue. It holds its body, and of quotas its slot and itself: it is a
// request under way. What an attempt reserves it takes when its turn has come.
func (e *exchange) inTurn(refusal *dialect.Refusal) (*snapshot.Target, *dialect.Refusal) {
	if e.queue == nil || e.queue.target == nil || e.isCopy || e.plan.Made() > 0 {
		return nil, refusal
	}
	target := e.queue.target
	e.queue.target = nil
	if refusal := e.waitFor(target); refusal != nil {
		return nil, refusal
	}
	e.plan.Return(target)
	if refusal := e.take(target); refusal != nil {
		return nil, refusal
	}
	return target, nil
}

// waitFor returns when the request's turn has come, or why it does not.
func (e *exchange) waitFor(target *snapshot.Target) *dialect.Refusal {
	h, limits := e.handler, target.Provider.Queue
	begun := h.config.Now()
	turn, again, full := e.targets.Of(target).Pool().Join(balance.Wish{
		Asker: e.asker(), Class: priorityClass[e.key.Priority], Tokens: e.likelyInput(), Most: limits.Most, Until: begun.Add(limits.Wait),
	}, h.config.Now)
	if turn == nil {
		how := queueLate
		if full {
			how = queueFull
		}
		h.metrics.queued.WithLabelValues(how).Inc()
		return e.tooCrowded(again)
	}
	h.metrics.waiting.Add(1)
	defer h.metrics.waiting.Add(-1)
	timer := time.NewTimer(limits.Wait)
	defer timer.Stop()
	select {
	case <-turn.Ready():
	case <-timer.C:
	case <-e.r.Context().Done():
	}
	return e.waitedFor(turn, begun)
}

func (e *exchange) waitedFor(turn *balance.Turn, begun time.Time) *dialect.Refusal {
	now := e.handler.config.Now()
	took := now.Sub(begun)
	e.queue.waited, e.queue.took = true, took
	e.record.QueuedUs = took.Microseconds()
	e.waited += took
	e.stages[stageChoose].Add(-int64(took))
	e.w.Header()["X-Weir-Queued"] = []string{strconv.FormatInt(took.Milliseconds(), 10)}
	how, came := queueServed, turn.Came()
	var refusal *dialect.Refusal
	switch displaced := isDone(turn.Ready()) && !came; {
	case e.r.Context().Err() != nil:
		turn.Leave(now)
		if how, refusal = queueLeft, callerLeft; e.cut() {
			refusal = agentStopping
		}
	case came:
		e.queue.turn = turn
	default:
		if how = queueExpired; displaced {
			how = queueDisplaced
		}
		refusal = e.tooCrowded(turn.Leave(now))
	}
	e.handler.metrics.queued.WithLabelValues(how).Inc()
	e.handler.metrics.queueWait.Observe(took.Seconds())
	return refusal
}

func isDone(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// tooCrowded is told where a queue has no place in time.
func (e *exchange) tooCrowded(again time.Duration) *dialect.Refusal {
	e.crowded = &crowded{wait: again, told: &dialect.Refusal{Status: http.StatusTooManyRequests, Code: codeUpstreamRateLimited,
		Message: fmt.Sprintf("The provider of this route has little left of what it allows this gateway, and too many requests wait for that. Try again in %d s.", seconds(again))}}
	return e.crowded.told
}

// hasTurn tells whether the request's turn at a target came.
func (e *exchange) hasTurn() bool { return e.queue != nil && e.queue.turn != nil }

// takesTurn counts the attempt that is made as the one whose turn came.
func (e *exchange) takesTurn() bool {
	if !e.hasTurn() {
		return false
	}
	e.queue.turn.Taken()
	e.queue.turn = nil
	return true
}

// leaveQueue gives back a turn that no attempt used.
func (e *exchange) leaveQueue() {
	if e.hasTurn() {
		e.queue.turn.Leave(e.handler.config.Now())
		e.queue.turn = nil
	}
}

// left ends a request whose caller left before anybody was asked.
func (e *exchange) left() {
	e.record.Outcome = usagev1.Outcome_OUTCOME_CLIENT_CLOSED
	e.recordRefusal()
}

// queueTook is for how long the request waited; false: it did not.
func (e *exchange) queueTook() (time.Duration, bool) {
	if e.queue == nil || !e.queue.waited {
		return 0, false
	}
	return e.queue.took, true
}

func newQueueMetrics() (ended *prometheus.CounterVec, wait prometheus.Histogram) {
	return counters("weir_agent_queued_total", "Requests that were to wait for what their provider allows, by how that ended.", "how"),
		prometheus.NewHistogram(prometheus.HistogramOpts{Name: "weir_agent_queue_wait_seconds",
			Help: "How long requests waited for what their provider allows, whatever came of it.", Buckets: queueBuckets})
}
