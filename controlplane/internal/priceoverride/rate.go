package priceoverride

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

const (
	// A pico-dollar per token is 10^-6 dollars per million tokens, and 10^-12 dollars.
	rateDigits = 6
	flatDigits = 12
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
	pico, fits := parse(text, rateDigits)
	switch {
	case !fits:
		return nil, fault.Field(field, "%s is finer than a pico-dollar per token; want at most %d digits after the point", text, rateDigits)
	case pico < 0 || pico > maxRate:
		return nil, fault.Field(field, "want at most 1000000 dollars per million tokens, got %s", text)
	}
	return &pico, nil
}

// ParseFlat reads dollars, "0.005", as pico-dollars, as ParseRate does.
func ParseFlat(field, text string) (*int64, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // an unknown price is no error
	}
	if !decimal.MatchString(text) {
		return nil, fault.Field(field, "want dollars as a plain decimal number, for example 0.005; got %q", text)
	}
	pico, fits := parse(text, flatDigits)
	switch {
	case !fits:
		return nil, fault.Field(field, "%s is finer than a pico-dollar; want at most %d digits after the point", text, flatDigits)
	case pico < 0 || pico > maxFlat:
		return nil, fault.Field(field, "want at most 1000 dollars, got %s", text)
	}
	return &pico, nil
}

// parse moves the point of a decimal number by so many digits; false: something is left
// behind it. Negative: it is too large.
func parse(text string, digits int) (int64, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > digits {
		return 0, false
	}
	pico, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10, 64)
	if err != nil {
		return -1, true
	}
	return pico, true
}

// FormatRate is ParseRate's other direction, in the shortest form.
func FormatRate(pico *int64) string { return format(pico, rateDigits) }

// FormatFlat is ParseFlat's.
func FormatFlat(pico *int64) string { return format(pico, flatDigits) }

func format(pico *int64, digits int) string {
	if pico == nil {
		return ""
	}
	text := strconv.FormatInt(*pico, 10)
	if missing := digits + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	whole, fraction := text[:len(text)-digits], strings.TrimRight(text[len(text)-digits:], "0")
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// check holds what no text said, such as a stored form.
func (r Rates) check(field string) error {
	for _, rate := range []*int64{r.Input, r.CacheRead, r.CacheWrite5m, r.CacheWrite1h, r.Output, r.InputAudio, r.OutputAudio, r.InputImage, r.OutputImage} {
		if rate != nil && (*rate < 0 || *rate > maxRate) {
			return fault.Field(field, "%d pico-dollars per token is not within 0..%d", *rate, int64(maxRate))
		}
	}
	return nil
}
