package proxy

import (
	"math"
	"testing"
)

func TestDollars(t *testing.T) {
	for nano, want := range map[int64]string{
		0: "0.000000000", 1: "0.000000001", 28_500: "0.000028500", 999_999_999: "0.999999999",
		1_000_000_000: "1.000000000", 12_000_000_034: "12.000000034", math.MaxInt64: "9223372036.854775807",
	} {
		if got := dollars(nano); got != want {
			t.Errorf("%d: %s, want %s", nano, got, want)
		}
	}
}
