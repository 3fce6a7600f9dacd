// Package load puts load on one HTTP address and says how long answers took. A closed loop
// sends the next request when the last was answered; an open loop sends when the schedule
// says so and counts from there, so that a server which stalls is not spared the requests
// that others would have sent meanwhile (coordinated omission). It knows nothing about what
// is measured.
package load

import (
	"errors"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Times are kept from 100 ns to 2 min, three digits exact.
const (
	lowest  = int64(100 * time.Nanosecond)
	highest = int64(2 * time.Minute)
	digits  = 3
	// kinds bounds how many errors are told apart.
	kinds = 16
)

// Sample is what one load saw. Samples of one thing add up.
type Sample struct {
	latency, first *hdrhistogram.Histogram

	// Requests were answered well, Failed were not, or too late to wait for.
	Requests, Failed int64
	// Errors say why, as often.
	Errors map[string]int64
	// Elapsed is from the first request to the last answer.
	Elapsed time.Duration
}

// NewSample is empty.
func NewSample() *Sample {
	return &Sample{
		latency: hdrhistogram.New(lowest, highest, digits), first: hdrhistogram.New(lowest, highest, digits), Errors: map[string]int64{},
	}
}

// Merge adds other, which stays as it is.
func (s *Sample) Merge(other *Sample) {
	s.latency.Merge(other.latency)
	s.first.Merge(other.first)
	s.Requests += other.Requests
	s.Failed += other.Failed
	s.Elapsed += other.Elapsed
	for text, n := range other.Errors {
		s.fault(text, n)
	}
}

// Latency at a quantile (0 to 1): until the whole answer was there.
func (s *Sample) Latency(q float64) time.Duration {
	return time.Duration(s.latency.ValueAtQuantile(q * 100))
}

// First is the time to the first byte of the body at a quantile (0 to 1).
func (s *Sample) First(q float64) time.Duration {
	return time.Duration(s.first.ValueAtQuantile(q * 100))
}

// Timed is how many latencies are known: of good answers, and of those given up.
func (s *Sample) Timed() int64 { return s.latency.TotalCount() }

// Rate is good answers per second.
func (s *Sample) Rate() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.Requests) / s.Elapsed.Seconds()
}

// Clone shares nothing with s.
func (s *Sample) Clone() *Sample {
	c := NewSample()
	c.Merge(s)
	c.Errors = maps.Clone(s.Errors)
	return c
}

func (s *Sample) fault(text string, n int64) {
	if _, known := s.Errors[text]; !known && len(s.Errors) >= kinds {
		text = "other errors"
	}
	s.Errors[text] += n
}

// recorder takes a sample from many goroutines.
type recorder struct {
	mu     sync.Mutex
	sample *Sample
}

func newRecorder() *recorder { return &recorder{sample: NewSample()} }

// note adds an answer to a request that was due at a time. A failure's time counts when it
// is that of waiting in vain; one that came quickly would flatter.
func (r *recorder) note(due, end time.Time, a Answer, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sample
	if err != nil {
		s.Failed++
		s.fault(reason(err), 1)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errGivenUp) {
			record(s.latency, end.Sub(due))
			record(s.first, end.Sub(due))
		}
		return
	}
	s.Requests++
	record(s.latency, end.Sub(due))
	record(s.first, a.First.Sub(due))
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(int64(d), lowest), highest)) // within the range there is no error
}

// snapshot of what is there so far.
func (r *recorder) snapshot() *Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sample.Clone()
}

// reason is an error without what differs from one connection to the next.
func reason(err error) string {
	var status statusError
	switch {
	case errors.As(err, &status):
		return status.Error()
	case errors.Is(err, errGivenUp):
		return errGivenUp.Error()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}
