package forecast_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/forecast"
)

var begun = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func TestExpect(t *testing.T) {
	o, kind := forecast.NewOutputs(10), forecast.Kind{Key: "k", Route: "r", Model: "m"}
	for i := range forecast.Enough {
		if _, known := o.Expect(kind, begun); known {
			t.Fatalf("%d answers are enough", i)
		}
		o.Note(kind, 100, begun)
	}
	if got, known := o.Expect(kind, begun); !known || got < 100 || got > 110 {
		t.Errorf("expects %d, %v", got, known)
	}
	if _, known := o.Expect(forecast.Kind{Key: "other", Route: "r", Model: "m"}, begun); known {
		t.Error("another key's are known")
	}
	t.Run("what_changes_is_followed", func(t *testing.T) {
		for range 500 {
			o.Note(kind, 1000, begun)
		}
		if got, _ := o.Expect(kind, begun); got < 1000 || got > 1100 {
			t.Errorf("expects %d", got)
		}
		for range 400 {
			o.Note(kind, 10, begun)
		}
		if got, _ := o.Expect(kind, begun); got > 11 {
			t.Errorf("expects %d of answers that got shorter", got)
		}
	})
	t.Run("what_is_old_is_forgotten", func(t *testing.T) {
		if _, known := o.Expect(kind, begun.Add(time.Hour)); known {
			t.Error("answers of an hour ago are known")
		}
	})
}

// It is the nine-in-ten quantile of what was noted, whatever that is, at most a tenth too much.
func TestExpect_property(t *testing.T) {
	for seed := range uint64(50) {
		dice := rand.New(rand.NewPCG(seed, 1))
		o, kind := forecast.NewOutputs(1), forecast.Kind{Key: "k"}
		var all []int64
		for range 20 + dice.IntN(179) {
			tokens := dice.Int64N(1 << (1 + dice.IntN(20)))
			all = append(all, tokens)
			o.Note(kind, tokens, begun)
		}
		slices.Sort(all)
		exact := all[(len(all)*9+9)/10-1]
		if got, known := o.Expect(kind, begun); !known || got < exact || float64(got) > 1.1*float64(exact)+2 {
			t.Errorf("seed %d: expects %d of %d answers, and it is %d", seed, got, len(all), exact)
		}
	}
}

// Kinds beyond the bound push out others, not those that are asked for.
func TestKindsAreBounded(t *testing.T) {
	const most = 100
	o, busy := forecast.NewOutputs(most), forecast.Kind{Key: "busy"}
	for range forecast.Enough {
		o.Note(busy, 7, begun)
	}
	at := begun
	for i := range 10 * most {
		at = at.Add(time.Millisecond)
		o.Note(forecast.Kind{Key: fmt.Sprint(i)}, 1, at)
		if _, known := o.Expect(busy, at); !known {
			t.Fatalf("forgotten after %d others", i)
		}
	}
	if n := o.Len(); n > most {
		t.Errorf("%d kinds are held", n)
	}
}

func BenchmarkExpect(b *testing.B) {
	o, kind := forecast.NewOutputs(10), forecast.Kind{Key: "k", Route: "r", Model: "m"}
	for range 200 {
		o.Note(kind, 1000, begun)
	}
	b.ReportAllocs()
	for b.Loop() {
		o.Expect(kind, begun)
	}
}
