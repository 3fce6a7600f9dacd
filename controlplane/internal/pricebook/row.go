package pricebook

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

var errEmpty = errors.New("it is empty")

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
	for _, tier := range []string{price.Batch, price.Flex, price.Priority} {
		// The list has no prices of a tier's cached or written tokens, nor of its long contexts.
		rates := &policyv1.Rates{Input: r.price(tier + "_input"), Output: r.price(tier + "_output")}
		if rates.Input != nil || rates.Output != nil {
			e.ServiceTiers = append(e.ServiceTiers, &policyv1.ServiceTierRates{Name: tier, Rates: rates})
		}
	}
	return e
}

// factor of a service tier or a place.
func (r *row) factor(e *policyv1.PriceEntry) {
	name := r.text("name")
	f := &policyv1.Factor{Numerator: r.count("numerator"), Denominator: r.count("denominator")}
	switch kind := r.text("kind"); kind {
	case "service_tier":
		e.ServiceTiers = append(e.ServiceTiers, &policyv1.ServiceTierRates{Name: name, Factor: f})
	case "geo":
		e.GeoFactors = append(e.GeoFactors, &policyv1.RegionFactor{Region: name, Factor: f})
	default:
		r.fail("unknown kind %q", kind)
	}
}

func (r *row) alias(e *policyv1.PriceEntry) { e.Aliases = append(e.Aliases, r.text("alias")) }

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
