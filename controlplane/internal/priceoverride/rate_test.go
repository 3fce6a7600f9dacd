package priceoverride_test

import (
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
)

func TestParseRate(t *testing.T) {
	for text, want := range map[string]int64{
		"1.25": 1_250_000, "0": 0, "0.0": 0, "0.000001": 1, "15": 15_000_000, "007": 7_000_000, "0.1": 100_000,
		"1.2500000000": 1_250_000, "1000000": 1_000_000_000_000, "999999.999999": 999_999_999_999,
	} {
		got, err := priceoverride.ParseRate("f", text)
		if err != nil || got == nil || *got != want {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"0.0000001", "1.2345678", "1000000.000001", "9999999", "12345678", "-1", "+1", "1e3", "1/3", "0x1", ".5", "5.", "1,5", " 1", "NaN", "Inf", "1_000", "\u0661",
	} {
		if got, err := priceoverride.ParseRate("f", text); got != nil || !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	t.Run("absent_is_unknown_not_free", func(t *testing.T) {
		if got, err := priceoverride.ParseRate("f", ""); got != nil || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestFlat(t *testing.T) {
	for text, want := range map[string]int64{"0.005": 5_000_000_000, "0": 0, "1000": 1_000_000_000_000_000, "0.000000000001": 1, "0.04000": 40_000_000_000} {
		got, err := priceoverride.ParseFlat("f", text)
		if err != nil || got == nil || *got != want {
			t.Errorf("%q: got %v, %v", text, got, err)
			continue
		}
		if back, err := priceoverride.ParseFlat("f", priceoverride.FormatFlat(got)); err != nil || *back != want {
			t.Errorf("%q became %q", text, priceoverride.FormatFlat(got))
		}
	}
	for _, text := range []string{"0.0000000000001", "1000.1", "9999999", "-1", "1e-3", "."} {
		if got, err := priceoverride.ParseFlat("f", text); got != nil || !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
}

func TestFormatRate(t *testing.T) {
	for range 10_000 {
		pico := rand.Int64N(1_000_000_000_001) >> rand.IntN(40)
		text := priceoverride.FormatRate(&pico)
		back, err := priceoverride.ParseRate("f", text)
		if err != nil || *back != pico {
			t.Fatalf("%d became %q became %v, %v", pico, text, back, err)
		}
	}
	for pico, want := range map[int64]string{0: "0", 1: "0.000001", 1_250_000: "1.25", 15_000_000: "15", 100_000: "0.1"} {
		if got := priceoverride.FormatRate(&pico); got != want {
			t.Errorf("%d: got %q", pico, got)
		}
	}
	if got := priceoverride.FormatRate(nil); got != "" {
		t.Errorf("unknown: got %q", got)
	}
}
