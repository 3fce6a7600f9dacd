package ledger

import (
	"context"
	"math/bits"
	"time"

	"github.com/weirhq/weir/controlplane/internal/quota"
)

// Confidence is how much a forecast is worth.
type Confidence int

// How sure it is: Low goes by one thing only, or by two that disagree; High by several that
// agree.
const (
	Low Confidence = iota + 1
	Medium
	High
)

// Forecast is what becomes of a window if it goes on as it did.
type Forecast struct {
	// ExhaustedAt is when all is spent; zero: not in this window.
	ExhaustedAt time.Time
	// SpentAtEnd of the window, whatever the limit; 0 where it has no end.
	SpentAtEnd int64
	Confidence Confidence
}

const (
	// pastWindows are those before the present one that a forecast goes by.
	pastWindows = 6
	// farthest is how far ahead the end of a lifetime budget is foreseen.
	farthest = 10 * 365 * 24 * time.Hour
)

// foresee fills in the forecasts, from windows that are asked for.
func (s *stand) foresee(ctx context.Context, v view, asked []pastOf) error {
	past, err := v.past(ctx, asked, pastWindows)
	if err != nil {
		return err
	}
	before := map[series][]*account{}
	for _, a := range past {
		before[a.series] = append(before[a.series], a)
	}
	for key, f := range s.found {
		switch q := s.quotas[key.quota]; {
		case q.shares || q.window.Rolling != nil || f.Spent >= f.Limit:
		case q.window.Calendar != nil:
			f.Forecast = newCourse(s.now, f.Span, f.Spent, before[key]).forecast(s.now, f)
		case key.subject == "" && !q.since.IsZero():
			f.Forecast = foreseeLifetime(s.now, q.since, f)
		}
	}
	return nil
}

// course is how much is spent in windows of a length, in whole seconds: in the window so far
// and in those before, each as it would be in a whole window.
type course struct {
	length, elapsed int64
	present, prior  int64
	// windows before: how many are known, and how many of them spent about the same.
	windows, alike int64
}

func newCourse(now time.Time, span quota.Span, spent int64, past []*account) course {
	c := course{length: max(1, seconds(span.End.Sub(span.Start)))}
	c.elapsed = min(c.length, max(0, seconds(now.Sub(span.Start))))
	c.present = scale(spent, c.length, max(1, c.elapsed))
	oldest, sum := span.Start, int64(0)
	var near []*account
	for _, a := range past {
		length := seconds(a.span.End.Sub(a.span.Start))
		age := seconds(span.Start.Sub(a.span.Start))
		if length*4 < c.length*3 || length*4 > c.length*5 || age > pastWindows*c.length*9/8 {
			continue // the quota had other windows then, or it was long ago
		}
		near = append(near, a)
		sum = add(sum, a.spent)
		if a.span.Start.Before(oldest) {
			oldest = a.span.Start
		}
	}
	if age := seconds(span.Start.Sub(oldest)); age > 0 { // windows without a row spent nothing
		c.windows = max(1, (age+c.length/2)/c.length)
		c.prior = scale(sum, c.length, age)
	}
	for _, a := range near {
		c.alike += count(within(a.spent, c.prior, 4))
	}
	return c
}

// forecast is nil where there is nothing to go by.
func (c course) forecast(now time.Time, f *Status) *Forecast {
	left := c.length - c.elapsed
	pace := c.present
	switch {
	case c.windows > 0:
		pace = add(scale(c.present, c.elapsed, c.length), scale(c.prior, left, c.length))
	case f.Spent == 0 || c.elapsed*20 < c.length:
		return nil
	}
	found := &Forecast{SpentAtEnd: add(f.Spent, scale(pace, left, c.length)), Confidence: c.confidence()}
	if found.SpentAtEnd >= f.Limit && pace > 0 {
		found.ExhaustedAt = now.Add(time.Duration(scale(f.Limit-f.Spent, c.length, pace)) * time.Second)
		if !found.ExhaustedAt.Before(f.Span.End) {
			found.ExhaustedAt = time.Time{}
		}
	}
	return found
}

func (c course) confidence() Confidence {
	begun := c.elapsed*10 >= c.length
	switch {
	case begun && c.windows >= 3 && c.alike == c.windows && within(c.present, c.prior, 4):
		return High
	case begun && c.windows > 0 && within(c.present, c.prior, 2), c.windows == 0 && c.elapsed*2 >= c.length:
		return Medium
	}
	return Low
}

// foreseeLifetime goes by all that was spent since there is a budget: a day of it at least.
func foreseeLifetime(now, since time.Time, f *Status) *Forecast {
	elapsed := now.Sub(since)
	if elapsed < 24*time.Hour || f.Spent == 0 {
		return nil
	}
	left := scale(f.Limit-f.Spent, seconds(elapsed), f.Spent)
	if left > seconds(farthest) {
		return nil
	}
	found := &Forecast{ExhaustedAt: now.Add(time.Duration(left) * time.Second), Confidence: Low}
	if elapsed >= 30*24*time.Hour {
		found.Confidence = Medium
	}
	return found
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// scale is a * b / c of numbers that are not negative, at most `most`; c is not 0.
func scale(a, b, c int64) int64 {
	high, low := bits.Mul64(uint64(max(0, a)), uint64(max(0, b)))
	if high >= uint64(c) {
		return most
	}
	found, _ := bits.Div64(high, low, uint64(c))
	return int64(min(found, most))
}

// within tells whether two numbers differ by at most a part of the larger one.
func within(a, b, part int64) bool { return max(a, b)-min(a, b) <= max(a, b)/part }
