package litellm

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/proto/contract/price"
)

// buckets by the fields that price them, without what says for which requests.
var buckets = map[string]func(*priceoverride.Rates) **int64{
	"input_cost_per_token":                      func(r *priceoverride.Rates) **int64 { return &r.Input },
	"output_cost_per_token":                     func(r *priceoverride.Rates) **int64 { return &r.Output },
	"cache_read_input_token_cost":               func(r *priceoverride.Rates) **int64 { return &r.CacheRead },
	"cache_creation_input_token_cost":           func(r *priceoverride.Rates) **int64 { return &r.CacheWrite5m },
	"cache_creation_input_token_cost_above_1hr": func(r *priceoverride.Rates) **int64 { return &r.CacheWrite1h },
	"input_cost_per_audio_token":                func(r *priceoverride.Rates) **int64 { return &r.InputAudio },
	"output_cost_per_audio_token":               func(r *priceoverride.Rates) **int64 { return &r.OutputAudio },
	"input_cost_per_image_token":                func(r *priceoverride.Rates) **int64 { return &r.InputImage },
	"output_cost_per_image_token":               func(r *priceoverride.Rates) **int64 { return &r.OutputImage },
}

var tiers = map[string]string{"_flex": price.Flex, "_priority": price.Priority, "_batches": price.Batch}

// above is the end of a field of long contexts.
var above = regexp.MustCompile(`_above_([0-9]{1,6})k_tokens$`)

// number is what a JSON number may look like here: with no exponent that takes memory.
var number = regexp.MustCompile(`^[0-9]{1,20}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?$`)

var (
	errNoNumber = errors.New("it is no number, or below 0")
	errTooFine  = errors.New("it is finer than a pico-dollar, which is what prices are counted in")
	errTooLarge = errors.New("it is more than prices can be")
	errTwice    = errors.New("it is there twice")
	errTiers    = errors.New("prices differ by more than one length of the prompt, and one only is taken over")
	errTimes    = errors.New("prices differ by the time of the day")
	errFree     = errors.New("by all that is known here the model is free, and this is a price")
	errSearches = errors.New("each request is billed for a search, beside its tokens")
	// Reasoning is billed as output here.
	errReasoning = errors.New("reasoning costs something else than other output")
)

// reasoning is the field for what is billed as output.
const reasoning = "output_cost_per_reasoning_token"

// searches is the field of what a search costs: a tool's elsewhere, and of each request at
// Perplexity. Source: https://docs.perplexity.ai/getting-started/pricing
const searches, searching = "search_context_cost_per_query", "perplexity"

// prices collects what the fields of one model say.
type prices struct {
	*reader
	settings priceoverride.Settings
	some     bool
	// paid: a price that was taken is not 0. other is a field whose price was left and is not.
	paid  bool
	other string
	// reasonings are what fields say that reasoning costs, where it is to be as other output.
	reasonings []reasoned
}

type reasoned struct {
	field, tier string
	long        bool
	pico        int64
}

// take notes a field that is a price. An error is about a number that can't be one.
func (p *prices) take(field string, value any) error {
	if !strings.Contains(field, "cost") && !strings.Contains(field, "pric") {
		return nil // what the model can do
	}
	if value == nil {
		return nil
	}
	switch field {
	case "input_cost_per_request":
		return p.flat(value, func(pico int64) { p.settings.PerRequest = pico })
	case "output_cost_per_image":
		return p.flat(value, func(pico int64) { p.settings.PerImage = &pico })
	case "tiered_pricing":
		return errTiers
	case "off_peak_pricing":
		return errTimes
	}
	name, tier := cutTier(field)
	long := false
	if m := above.FindStringSubmatch(name); m != nil {
		thousands, _ := strconv.ParseInt(m[1], 10, 64)
		name, long = strings.TrimSuffix(name, m[0]), true
		if buckets[name] != nil {
			if was := p.settings.LongContextThreshold; was != 0 && was != thousands*1000 {
				return errTiers
			}
			p.settings.LongContextThreshold = thousands * 1000
		}
	}
	bucket := buckets[name]
	if bucket == nil && name != reasoning {
		p.leave(field, "what it prices is not known here")
		text, _ := value.(string)
		if n, ok := value.(json.Number); ok {
			text = n.String()
		}
		if digits, _, _ := strings.Cut(strings.ToLower(text), "e"); p.other == "" && strings.ContainsAny(digits, "123456789") {
			p.other = field
		}
		return nil
	}
	pico, err := picoDollars(value)
	if err != nil {
		return err
	}
	if pico > maxRate {
		return errTooLarge
	}
	if bucket == nil {
		p.reasonings = append(p.reasonings, reasoned{field, tier, long, pico})
		return nil
	}
	*bucket(p.rates(tier, long)) = &pico
	p.some, p.paid = true, p.paid || pico > 0
	return nil
}

// rates are where those of a tier, or of none, are kept.
func (p *prices) rates(tier string, long bool) *priceoverride.Rates {
	switch {
	case tier != "":
		return p.tier(tier, long)
	case long:
		return &p.settings.LongRates
	}
	return &p.settings.Rates
}

// otherReasoning is a field by which reasoning costs something else than other output does; empty:
// there is none. Where no output is priced, reasoning is not either.
func (p *prices) otherReasoning() string {
	for _, r := range p.reasonings {
		if r.tier != "" && !slices.ContainsFunc(p.settings.Tiers, func(t priceoverride.Tier) bool { return t.Name == r.tier }) {
			continue
		}
		if output := p.rates(r.tier, r.long).Output; output != nil && *output != r.pico {
			return r.field
		}
	}
	return ""
}

const maxRate = 1_000_000_000_000

func (p *prices) flat(value any, set func(int64)) error {
	pico, err := picoDollars(value)
	if err == nil {
		set(pico)
		p.some, p.paid = p.some || pico > 0, p.paid || pico > 0
	}
	return err
}

// tier is where its rates are kept.
func (p *prices) tier(name string, long bool) *priceoverride.Rates {
	at := -1
	for i := range p.settings.Tiers {
		if p.settings.Tiers[i].Name == name {
			at = i
		}
	}
	if at < 0 {
		at = len(p.settings.Tiers)
		p.settings.Tiers = append(p.settings.Tiers, priceoverride.Tier{Name: name})
	}
	if long {
		return &p.settings.Tiers[at].LongRates
	}
	return &p.settings.Tiers[at].Rates
}

func cutTier(field string) (name, tier string) {
	for suffix, tier := range tiers {
		if name, ok := strings.CutSuffix(field, suffix); ok {
			return name, tier
		}
	}
	return field, ""
}

// picoDollars of a number of dollars, exactly.
func picoDollars(value any) (int64, error) {
	text, ok := value.(json.Number)
	if !ok || !number.MatchString(text.String()) {
		return 0, fmt.Errorf("%v: %w", value, errNoNumber)
	}
	dollars, ok := new(big.Rat).SetString(text.String())
	if !ok {
		return 0, fmt.Errorf("%s: %w", text, errNoNumber)
	}
	pico := dollars.Mul(dollars, big.NewRat(1_000_000_000_000, 1))
	switch {
	case !pico.IsInt():
		return 0, fmt.Errorf("%s: %w", text, errTooFine)
	case !pico.Num().IsInt64():
		return 0, fmt.Errorf("%s: %w", text, errTooLarge)
	}
	return pico.Num().Int64(), nil
}
