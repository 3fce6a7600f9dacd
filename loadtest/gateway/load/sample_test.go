package load

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

func TestMergedSamplesAreOneSample(t *testing.T) {
	now := time.Now()
	parts, whole := []*recorder{newRecorder(), newRecorder(), newRecorder()}, newRecorder()
	for i := range 3000 {
		took := time.Duration(i*i) * time.Microsecond
		for _, r := range []*recorder{parts[i%3], whole} {
			r.note(now, now.Add(took), Answer{First: now.Add(took / 2)}, nil)
		}
	}
	for _, r := range []*recorder{parts[1], whole} {
		r.note(now, now.Add(time.Hour), Answer{}, statusError(503))
		r.note(now, now.Add(time.Hour), Answer{}, errGivenUp)
		r.sample.Elapsed = time.Second
	}
	merged := NewSample()
	for _, r := range parts {
		merged.Merge(r.snapshot())
	}
	for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999, 1} {
		if merged.Latency(q) != whole.sample.Latency(q) || merged.First(q) != whole.sample.First(q) {
			t.Errorf("quantile %v: %v and %v, want %v and %v", q, merged.Latency(q), merged.First(q), whole.sample.Latency(q), whole.sample.First(q))
		}
	}
	want := 0.5 * 0.5 * 9 // the median's square, in seconds
	if got := merged.Latency(0.5).Seconds(); math.Abs(got-want) > 0.01 {
		t.Errorf("median %v s, want %v", got, want)
	}
	if merged.Requests != 3000 || merged.Failed != 2 || merged.Timed() != 3001 ||
		merged.Errors["status 503 Service Unavailable"] != 1 || merged.Elapsed != time.Second {
		t.Errorf("%+v", merged)
	}
}

func TestErrorsAreToldApartUpToABound(t *testing.T) {
	r := newRecorder()
	for i := range 100 {
		r.note(time.Now(), time.Now(), Answer{}, fmt.Errorf("on this connection: %w", errors.New(fmt.Sprint("fault ", i%50))))
	}
	if len(r.sample.Errors) != kinds+1 || r.sample.Errors["fault 0"] != 2 || r.sample.Errors["other errors"] != int64(100-2*kinds) {
		t.Errorf("%v", r.sample.Errors)
	}
}

func TestPoisson(t *testing.T) {
	all := slices.Collect(Poisson(1000, 10*time.Second, 7))
	if n := len(all); n < 9_500 || n > 10_500 { // five standard deviations
		t.Errorf("%d requests in 10 s at 1000 a second", n)
	}
	if !slices.IsSorted(all) || all[len(all)-1] >= 10*time.Second {
		t.Error("not in order, or too late")
	}
	if !slices.Equal(all, slices.Collect(Poisson(1000, 10*time.Second, 7))) {
		t.Error("the same seed gives another schedule")
	}
	short := 0 // gaps of an exponential distribution are below its mean in 63 of 100 cases
	for i := 1; i < len(all); i++ {
		if all[i]-all[i-1] < time.Millisecond {
			short++
		}
	}
	if share := float64(short) / float64(len(all)); share < 0.6 || share > 0.66 {
		t.Errorf("%.2f of the gaps are below their mean", share)
	}
}
