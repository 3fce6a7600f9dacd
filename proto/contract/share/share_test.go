package share_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/proto/contract/share"
)

var begun = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func TestSplit(t *testing.T) {
	for name, c := range map[string]struct {
		demands []int64
		amount  int64
		want    []int64
	}{
		"nobody":             {nil, 10, nil},
		"none_asked":         {[]int64{0}, 10, []int64{0}},
		"alone":              {[]int64{1000}, 600, []int64{600}},
		"alone_with_little":  {[]int64{10}, 600, []int64{170}},
		"even":               {[]int64{1000, 1000}, 600, []int64{300, 300}},
		"by_demand":          {[]int64{900, 300}, 400, []int64{275, 125}},
		"a_floor_for_all":    {[]int64{1_000_000, 20}, 400, []int64{380, 20}},
		"more_than_all_want": {[]int64{10, 20}, 4000, []int64{520, 540}},
		"huge":               {[]int64{math.MaxInt64 / 8, math.MaxInt64 / 8}, 100, []int64{50, 50}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := share.Split(c.demands, c.amount, begun); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// Units that can't be split go to each in turn.
func TestSplit_few(t *testing.T) {
	had := make([]int, 5)
	for at := begun; at.Before(begun.Add(20 * time.Second)); at = at.Add(time.Second) {
		sum := int64(0)
		for i, part := range share.Split([]int64{2, 2, 2, 2, 2}, 3, at) {
			had[i] += int(part)
			sum += part
		}
		if sum != 3 {
			t.Fatalf("%d of 3 are given", sum)
		}
	}
	if slices.Min(had) == 0 {
		t.Errorf("one never had any: %v", had)
	}
}

// The parts are never more than there is, nor much more than was asked for; where all ask for
// more than there is, they are all of it.
func TestSplit_property(t *testing.T) {
	for seed := range uint64(2000) {
		dice := rand.New(rand.NewPCG(seed, 3))
		demands, amount, wanted := make([]int64, 1+dice.IntN(30)), dice.Int64N(1<<(1+dice.IntN(40))), int64(0)
		least := int64(math.MaxInt64)
		for i := range demands {
			demands[i] = 1 + dice.Int64N(1<<(1+dice.IntN(40)))
			wanted, least = wanted+demands[i], min(least, demands[i])
		}
		parts, sum := share.Split(demands, amount, begun.Add(time.Duration(seed)*time.Second)), int64(0)
		floor := amount / int64(4*len(demands))
		for i, part := range parts {
			if sum += part; part < 0 || part > 2*demands[i]+floor+1 {
				t.Fatalf("seed %d: %d to who asks for %d", seed, part, demands[i])
			}
			if part < min(demands[i], floor) {
				t.Fatalf("seed %d: %d are less than the floor of %d", seed, part, floor)
			}
		}
		if sum > amount || least >= amount && sum != amount {
			t.Fatalf("seed %d: %d of %d are given", seed, sum, amount)
		}
	}
}
