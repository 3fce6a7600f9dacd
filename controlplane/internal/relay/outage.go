package relay

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// wholeTopic is beside its partitions what may not answer.
	wholeTopic = -1
	// knownFor is how long an outage is told to all without another try.
	knownFor = 2 * time.Second
)

// awayError is an outage that somebody found a moment ago.
type awayError struct{ err error }

func (e awayError) Error() string { return "found to be away a moment ago: " + e.err.Error() }
func (e awayError) Unwrap() error { return e.err }

// outages keeps calls from piling up at what does not answer: while it does not, one of
// them tries every two seconds, and all others are sent away at once.
type outages struct {
	mu sync.Mutex
	of map[int]*outage // by partition
}

type outage struct {
	until  time.Time
	trying bool
	err    error
}

func newOutages() *outages { return &outages{of: map[int]*outage{}} }

// during calls try, unless what it is about is known to be away. An answer that a value is
// too large is an answer.
func (o *outages) during(partition int, try func() error) error {
	if err := o.enter(partition); err != nil {
		return err
	}
	err := try()
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil || isTooLarge(err) {
		delete(o.of, partition)
	} else {
		o.of[partition] = &outage{until: time.Now().Add(knownFor), err: err}
	}
	return err
}

func (o *outages) enter(partition int) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	away := o.of[partition]
	if away == nil {
		return nil
	}
	if away.trying || time.Now().Before(away.until) {
		return awayError{away.err}
	}
	away.trying = true
	return nil
}

// retryAfter is when to come again after an outage, spread so that agents do not come all
// at once; said: another call has told of the cause.
func retryAfter(err error) (after time.Duration, said bool) {
	var away awayError
	return time.Second + time.Duration(rand.N(4))*time.Second, errors.As(err, &away)
}
