package priceoverride

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

const (
	// A pico-dollar per token is 10^-6 dollars per million tokens.
	exactDigits = 6
	// maxRate is what agents take: a dollar for one token.
	maxRate = 1_000_000_000_000
)

var decimal = regexp.MustCompile(`^[0-9]{1,7}(\.[0-9]+)?$`)

// ParseRate reads dollars per million tokens, "1.25", as pico-dollars per token,
// exactly; nil for an empty text, an Invalid fault about the field for what does not fit.
func ParseRate(field, text string) (*int64, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // an unknown price is no error
	}
	if !decimal.MatchString(text) {
		return nil, fault.Field(field, "want dollars per million tokens as a plain decimal number, for example 1.25; got %q", text)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > exactDigits {
		return nil, fault.Field(field, "%s is finer than a pico-dollar per token; want at most %d digits after the point", text, exactDigits)
	}
	pico, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", exactDigits-len(fraction)), 10, 64)
	if err != nil || pico > maxRate {
		return nil, fault.Field(field, "want at most 1000000 dollars per million tokens, got %s", text)
	}
	return &pico, nil
}

// FormatRate is ParseRate's other direction, in the shortest form.
func FormatRate(pico *int64) string {
	if pico == nil {
		return ""
	}
	text := strconv.FormatInt(*pico, 10)
	if missing := exactDigits + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	whole, fraction := text[:len(text)-exactDigits], strings.TrimRight(text[len(text)-exactDigits:], "0")
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// check holds what no text said, such as a stored form.
func (r Rates) check(field string) error {
	for _, rate := range []*int64{r.Input, r.CacheRead, r.CacheWrite5m, r.CacheWrite1h, r.Output, r.InputAudio, r.OutputAudio} {
		if rate != nil && (*rate < 0 || *rate > maxRate) {
			return fault.Field(field, "%d pico-dollars per token is not within 0..%d", *rate, int64(maxRate))
		}
	}
	return nil
}
