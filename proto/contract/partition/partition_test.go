package partition_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/proto/contract/partition"
)

func TestOf(t *testing.T) {
	t.Run("golden_vectors", func(t *testing.T) {
		for _, c := range []struct {
			agent            string
			partitions, want int
		}{
			{"0197f1c2-0000-7000-8000-000000000001", 1, 0},
			{"0197f1c2-0000-7000-8000-000000000001", 12, 10},
			{"0197f1c2-0000-7000-8000-000000000002", 12, 3},
			{"0197f1c2-0000-7000-8000-000000000002", 7, 4},
			{"", 12, 5},
		} {
			if got := partition.Of(c.agent, c.partitions); got != c.want {
				t.Errorf("%q in %d: %d, want %d", c.agent, c.partitions, got, c.want)
			}
		}
	})
	t.Run("agents_spread", func(t *testing.T) {
		count := make([]int, 12)
		for range 12_000 {
			count[partition.Of(uuid.NewString(), len(count))]++
		}
		for p, n := range count {
			if n < 800 || n > 1200 {
				t.Errorf("partition %d has %d of 12000 agents", p, n)
			}
		}
	})
}
