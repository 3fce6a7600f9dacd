package pricebook

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// row reads the cells of one line by column name and keeps the first fault.
type row struct {
	header, cells []string
	err           error
}

func (r *row) entry() *policyv1.PriceEntry {
	e := &policyv1.PriceEntry{
		PriceList:            r.text("provider"),
		Model:                r.text("model"),
		Rates:                r.rates(""),
		LongContextThreshold: r.count("long_context_threshold"),
		MaxInputTokens:       r.count("max_input_tokens"),
		MaxOutputTokens:      r.count("max_output_tokens"),
	}
	if e.LongContextThreshold > 0 {
		e.LongRates = r.rates("long_")
	}
	return e
}

func (r *row) rates(prefix string) *policyv1.Rates {
	rates := &policyv1.Rates{
		Input:         r.price(prefix + "input"),
		CacheRead:     r.price(prefix + "cache_read"),
		CacheWrite_5M: r.price(prefix + "cache_write"),
		CacheWrite_1H: r.price(prefix + "cache_write_1h"),
		Output:        r.price(prefix + "output"),
	}
	if prefix == "" { // the list has no long-context audio prices
		rates.InputAudio = r.price("input_audio")
		rates.OutputAudio = r.price("output_audio")
	}
	return rates
}

func (r *row) text(column string) string {
	i := slices.Index(r.header, column)
	if i < 0 || i >= len(r.cells) {
		r.fail("no column %q", column)
		return ""
	}
	return r.cells[i]
}

func (r *row) count(column string) int64 {
	text := r.text(column)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		r.fail("%s: %q is not a count of tokens", column, text)
	}
	return n
}

// price turns dollars per million tokens into pico-dollars per token: × 10^6.
func (r *row) price(column string) *int64 {
	text := r.text(column)
	if text == "" {
		return nil
	}
	dollars, ok := new(big.Rat).SetString(text)
	if !ok {
		r.fail("%s: %q is not a price", column, text)
		return nil
	}
	pico := dollars.Mul(dollars, big.NewRat(1_000_000, 1))
	if !pico.IsInt() || !pico.Num().IsInt64() {
		r.fail("%s: %q is not a whole number of pico-dollars per token", column, text)
		return nil
	}
	n := pico.Num().Int64()
	return &n
}

func (r *row) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}
