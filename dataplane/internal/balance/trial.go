package balance

import (
	"time"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// fewTokens are too few to tell from an answer how long each takes.
const fewTokens = 8

// Trial is one attempt on a target, from which the target learns. The zero value teaches
// nothing. One goroutine uses it.
type Trial struct {
	target   *Target
	begun    int64
	first    int64 // time to first content; 0: none came
	streamed bool
	probe    bool
}

// Ending is how an attempt ended.
type Ending struct {
	// Failed is how; 0 with OK false: in a way that says nothing about the target, as where
	// the caller left or asked for what can't be.
	Failed snapshot.Failures
	OK     bool
	// Status that the upstream answered with; 0: none came.
	Status int
	// RetryAfter is how long it asks to be left alone; 0: it does not.
	RetryAfter time.Duration
	// Output is how many tokens the answer has; 0: not known.
	Output int64
}

// Begin counts a request that goes to the target. streamed: its first content is told by
// Heard, else the end of the answer is all that is seen of it.
func (t *Target) Begin(now time.Time, streamed bool) Trial {
	at := t.targets.since(now)
	t.tried.Add(1)
	t.asked.Store(at)
	t.inFlight.Add(1)
	t.waiting(streamed).begin(at)
	return Trial{target: t, begun: at, streamed: streamed}
}

func (t *Target) waiting(streamed bool) *waiting {
	if streamed {
		return &t.streams
	}
	return &t.wholes
}

// Heard notes the first content of a stream; further calls note nothing.
func (t *Trial) Heard(now time.Time) {
	if t.target == nil || t.first > 0 || !t.streamed {
		return
	}
	at := t.target.targets.since(now)
	t.first = max(1, at-t.begun)
	t.target.streams.heard()
	t.target.mu.Lock()
	defer t.target.mu.Unlock()
	t.target.first.peak(float64(t.first), at)
}

// End notes how the attempt ended. Further calls note nothing.
func (t *Trial) End(now time.Time, e Ending) {
	target := t.target
	if target == nil {
		return
	}
	t.target = nil
	at := target.targets.since(now)
	target.inFlight.Add(-1)
	target.mu.Lock()
	defer target.mu.Unlock()
	w := target.waiting(t.streamed)
	if !e.OK && t.first == 0 && w.none(t.begun) {
		target.learnWait(t, at)
	}
	switch {
	case t.first > 0:
	case e.OK:
		w.heard()
	default:
		w.left()
	}
	if e.OK {
		target.learn(t, at, e.Output)
	}
	target.settle(t, at, e)
}

// learnWait takes from an attempt without content that it would have taken longer still.
func (t *Target) learnWait(trial *Trial, now int64) {
	took := float64(now - trial.begun)
	if !trial.streamed {
		took -= t.token.load() * t.output.load()
	}
	if t.first.known.Load() && took > t.first.load() {
		t.first.peak(took, now)
	}
}

// learn takes times from an answer that is whole.
func (t *Target) learn(trial *Trial, now, output int64) {
	took := float64(now - trial.begun)
	if output > 0 {
		t.output.observe(float64(output), now, memory)
	}
	if !trial.streamed {
		t.learnWhole(took, now, float64(output))
		return
	}
	if trial.first > 0 && output >= fewTokens {
		t.token.peak((took-float64(trial.first))/float64(output-1), now)
	}
}

// learnWhole splits the time of an answer that came at once, by what is known of a token's.
func (t *Target) learnWhole(took float64, now int64, output float64) {
	tokens := t.token.load() * output
	if tokens > took { // it is faster than was known
		tokens = took / 2
		t.token.observe(tokens/output, now, memory)
	}
	t.first.peak(took-tokens, now)
}

// settle counts the attempt for the circuit breaker.
func (t *Target) settle(trial *Trial, now int64, e Ending) {
	counts := e.OK || e.Failed&^(snapshot.ContextTooLong|snapshot.ContentFilter) != 0
	if trial.probe {
		t.breaker.release()
	}
	if !counts {
		return
	}
	failed := 0.0
	if !e.OK {
		failed = 1
	}
	t.failing.observe(failed, now, failureMemory)
	t.breaker.count(trial, now, e, t.targets.draw)
}
