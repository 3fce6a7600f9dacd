package balance_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// TestQuantilesAreNearTheTrueOnes: at most 5 % above, never below.
func TestQuantilesAreNearTheTrueOnes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		var pace balance.Pace
		var times []time.Duration
		for range balance.EnoughTimes + random.IntN(900) {
			took := time.Millisecond + time.Duration(random.ExpFloat64()*float64(time.Second))
			times = append(times, took)
			pace.Note(true, took, epoch)
		}
		slices.Sort(times)
		for _, share := range []float64{0.5, 0.9, 0.95, 0.99} {
			rank := int(share*float64(len(times))+0.9999999) - 1
			want := times[rank]
			got, known := pace.Begin(true, share, 0, epoch)
			if !known || float64(got) < float64(want)*0.999 || float64(got) > float64(want)*1.06 {
				t.Errorf("round %d: %v of %d is %v, want %v", round, share, len(times), got, want)
			}
		}
	}
}

func TestTimesAreForgotten(t *testing.T) {
	at := func(minutes int) time.Time { return epoch.Add(time.Duration(minutes) * time.Minute) }
	note := func(p *balance.Pace, count int, took time.Duration, now time.Time) {
		for range count {
			p.Note(false, took, now)
		}
	}
	var pace balance.Pace
	note(&pace, balance.EnoughTimes-1, time.Second, at(0))
	if _, known := pace.Begin(false, 0.95, 0, at(0)); known {
		t.Error("too few times tell something")
	}
	note(&pace, 1, time.Second, at(0))
	if _, known := pace.Begin(true, 0.95, 0, at(0)); known {
		t.Error("whole answers tell of streams")
	}
	if took, known := pace.Begin(false, 0.95, 0, at(4)); !known || took < time.Second || took > 1060*time.Millisecond {
		t.Errorf("%v, %v", took, known)
	}
	note(&pace, 100, 10*time.Millisecond, at(6))
	if took, _ := pace.Begin(false, 0.5, 0, at(6)); took > 11*time.Millisecond {
		t.Errorf("the median is %v", took)
	}
	if took, known := pace.Begin(false, 0.99, 0, at(12)); !known || took > 11*time.Millisecond {
		t.Errorf("what is old counts still: %v, %v", took, known)
	}
	if _, known := pace.Begin(false, 0.99, 0, at(30)); known {
		t.Error("what is very old is known still")
	}
	note(&pace, 3000, 10*time.Millisecond, at(31))
	note(&pace, 2000, time.Second, at(31))
	if took, _ := pace.Begin(false, 0.1, 0, at(31)); took < time.Second {
		t.Errorf("many new times leave old ones: %v", took)
	}
}

// TestHedgesAreAShareOfTheRequests whatever happens at once.
func TestHedgesAreAShareOfTheRequests(t *testing.T) {
	var pace balance.Pace
	var wait sync.WaitGroup
	taken := make(chan bool, 4000)
	for range 4 {
		wait.Go(func() {
			for range 1000 {
				pace.Begin(true, 0.95, 0.1, epoch)
				taken <- pace.Take()
			}
		})
	}
	wait.Wait()
	close(taken)
	hedges := 0
	for hedged := range taken {
		if hedged {
			hedges++
		}
	}
	if hedges > 400 || hedges < 390 {
		t.Errorf("%d hedges of 4000 requests", hedges)
	}
	pace.Return()
	if !pace.Take() {
		t.Error("what was given back is gone")
	}
}

func TestHedgesThatAreSavedAreFew(t *testing.T) {
	targets := balance.NewTargets(epoch, first)
	a, b := targets.Of(target("a", 0)), targets.Of(target("b", 0))
	for range 10_000 {
		a.Pace().Begin(true, 0.95, 0.5, epoch)
	}
	hedges := 0
	for a.Pace().Take() {
		hedges++
	}
	if hedges != 10 || b.Pace().Take() {
		t.Errorf("%d hedges are saved", hedges)
	}
}

func BenchmarkPace(b *testing.B) {
	var pace balance.Pace
	for i := range 500 {
		pace.Note(true, time.Duration(i)*time.Millisecond, epoch)
	}
	b.ReportAllocs()
	for b.Loop() {
		pace.Begin(true, 0.95, 0.1, epoch)
		pace.Note(true, 300*time.Millisecond, epoch)
	}
}
