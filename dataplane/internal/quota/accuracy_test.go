package quota_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
)

// load is agents whose callers ask steadily, and how many of them were served.
type load struct {
	t      *testing.T
	q      *quota.Quota
	agents []*running
	rates  []int // requests a second
	at     time.Time
	group  sync.WaitGroup
	served atomic.Int64
}

func newLoad(t *testing.T, agents int, limit int64) *load {
	l := newLedger(t)
	l.parts = map[string]*parts{}
	b := &load{t: t, q: rate(t, l, hard, limit, time.Second), rates: make([]int, agents)}
	for i := range agents {
		b.agents = append(b.agents, run(t, l, fmt.Sprint("agent ", i), newDisk(1), b.q))
	}
	l.set(func() { l.after = func() error { time.Sleep(3 * time.Millisecond); return nil } })
	b.at = time.Now().Truncate(time.Second).Add(time.Second) // where the limit's windows begin
	time.Sleep(time.Until(b.at))
	return b
}

// second has each agent's requests come evenly over the next one, and tells how many were
// served in it.
func (b *load) second() int64 {
	return b.each(func(rate, tick int) int { return rate*(tick+1)/ticks - rate*tick/ticks })
}

// chance is second with requests that come independently of each other.
func (b *load) chance(r *rand.Rand) int64 {
	return b.each(func(rate, _ int) (n int) {
		for left := r.ExpFloat64(); left < float64(rate)/ticks; left += r.ExpFloat64() {
			n++
		}
		return n
	})
}

// ticks are the parts of a second in which requests come together.
const ticks = 200

func (b *load) each(come func(rate, tick int) int) int64 {
	for tick := range ticks {
		for i, m := range b.agents {
			for range come(b.rates[i], tick) {
				b.group.Go(func() {
					var r quota.Reservation
					if m.Reserve(b.t.Context(), &r, claim(b.q, 1)) == nil {
						b.served.Add(1)
						r.Settle(nil)
					}
				})
			}
		}
		b.at = b.at.Add(time.Second / ticks)
		time.Sleep(time.Until(b.at))
	}
	return b.served.Swap(0)
}

// Ten agents hold one limit together: what they let through is within a twentieth of it where
// more is asked for, and all that is asked for where that is less; also where nearly all is asked
// of one of them.
func TestARateIsHeldByTenAgents(t *testing.T) {
	for name, c := range map[string]struct {
		rates []int
		limit int64
		off   float64 // at most
	}{
		"even":        {[]int{30, 30, 30, 30, 30, 30, 30, 30, 30, 30}, 100, 0.05},
		"skewed":      {[]int{400, 100, 50, 25, 12, 6, 5, 3, 2, 1}, 200, 0.05},
		"most_of_one": {[]int{105, 5, 5, 5, 5, 5, 5, 5, 5, 5}, 100, 0.02},
		"all_of_one":  {[]int{300, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 100, 0.03},
		"just_enough": {[]int{9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, 100, 0.05},
		"few":         {[]int{5, 5, 5, 5, 5, 5, 5, 5, 5, 5}, 20, 0.05},
	} {
		bubble(t, name, func(t *testing.T) {
			b := newLoad(t, 10, c.limit)
			copy(b.rates, c.rates)
			asked := 0
			for _, rate := range c.rates {
				asked += rate
			}
			for range 5 {
				b.second()
			}
			const seconds = 30
			sum, most := int64(0), int64(0)
			for range seconds {
				n := b.second()
				sum, most = sum+n, max(most, n)
			}
			want := min(float64(asked), float64(c.limit)) * seconds
			off := (float64(sum) - want) / want
			t.Logf("%d of %d a second are asked for, and %.1f served: %+.1f %%, at most %d in one", asked, c.limit, float64(sum)/seconds, 100*off, most)
			if off < -c.off || off > c.off {
				t.Errorf("%d are served in %d s, want %.0f", sum, seconds, want)
			}
			b.group.Wait()
		})
	}
}

// Requests seldom come evenly. What an agent with a few of them a second has, and does not use in
// the one or other second, is nobody's: the fewer they are, the more of the limit.
func TestARateIsHeldByChance(t *testing.T) {
	for name, c := range map[string]struct {
		rates []int
		limit int64
		off   float64 // at most
	}{
		"even":        {[]int{30, 30, 30, 30, 30, 30, 30, 30, 30, 30}, 100, 0.04},
		"most_of_one": {[]int{105, 5, 5, 5, 5, 5, 5, 5, 5, 5}, 100, 0.1},
		"more_of_all": {[]int{1050, 50, 50, 50, 50, 50, 50, 50, 50, 50}, 1000, 0.04},
	} {
		bubble(t, name, func(t *testing.T) {
			b, r := newLoad(t, 10, c.limit), rand.New(rand.NewPCG(7, 7))
			copy(b.rates, c.rates)
			for range 5 {
				b.chance(r)
			}
			const seconds = 60
			sum := int64(0)
			for range seconds {
				sum += b.chance(r)
			}
			off := float64(sum)/float64(c.limit*seconds) - 1
			t.Logf("%.1f of %d a second are served: %+.1f %%", float64(sum)/seconds, c.limit, 100*off)
			if off < -c.off || off > 0.001 {
				t.Errorf("%d are served in %d s of %d", sum, seconds, c.limit*seconds)
			}
			b.group.Wait()
		})
	}
}

// Where the demand moves to other agents, their share follows within two seconds: but for what
// those hold ready who had requests within the last ten.
func TestAShareMovesWithTheDemand(t *testing.T) {
	bubble(t, "moves", func(t *testing.T) {
		b := newLoad(t, 10, 100)
		for i := range 5 {
			b.rates[i] = 60
		}
		for range 5 {
			b.second()
		}
		for i := range 5 {
			b.rates[i], b.rates[i+5] = 0, 60
		}
		var each []int64
		for range 5 {
			each = append(each, b.second())
		}
		t.Logf("served in the seconds after the demand moved: %v of 100", each)
		for _, n := range each[2:] {
			if n < 90 || n > 105 {
				t.Errorf("%d a second are served two seconds later", n)
			}
		}
		b.group.Wait()
	})
	bubble(t, "to_one_that_asked_for_little", func(t *testing.T) {
		b := newLoad(t, 10, 100)
		for i := range b.rates {
			b.rates[i] = 5
		}
		for range 5 {
			b.second()
		}
		clear(b.rates)
		b.rates[3] = 300
		var each []int64
		for range 5 {
			each = append(each, b.second())
		}
		t.Logf("served in the seconds after the demand moved: %v of 100", each)
		for _, n := range each[2:] {
			if n < 90 || n > 105 {
				t.Errorf("%d a second are served two seconds later", n)
			}
		}
		b.group.Wait()
	})
}
