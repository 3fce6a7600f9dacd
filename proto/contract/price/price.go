// Package price turns token counts into money, exactly: integer pico-dollars per
// token, summed, and rounded once, half up, to nano-dollars. It does no I/O.
package price

import (
	"fmt"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// maxRate bounds a price, pico-dollars per token: one dollar for one token.
const maxRate = 1_000_000_000_000

// Book prices models. It is immutable.
type Book struct {
	version string
	entries map[modelKey]*Entry
}

type modelKey struct{ list, model string }

// Entry prices one model. It is immutable.
type Entry struct {
	rates, longRates bucketRates
	longThreshold    int64
	maxInput         int64
	maxOutput        int64
}

// NewBook compiles a price book of the policy. A negative or absurd price and a
// model listed twice are errors.
func NewBook(book *policyv1.PriceBook) (*Book, error) {
	b := &Book{
		version: book.GetVersion(),
		entries: make(map[modelKey]*Entry, len(book.GetEntries())),
	}
	for _, e := range book.GetEntries() {
		key := modelKey{list: e.GetPriceList(), model: e.GetModel()}
		if _, twice := b.entries[key]; twice {
			return nil, fmt.Errorf("price book %s: %s/%s is listed twice", b.version, key.list, key.model)
		}
		entry, err := newEntry(e)
		if err != nil {
			return nil, fmt.Errorf("price book %s: %s/%s: %w", b.version, key.list, key.model, err)
		}
		b.entries[key] = entry
	}
	return b, nil
}

func newEntry(e *policyv1.PriceEntry) (*Entry, error) {
	rates, err := newBucketRates(e.GetRates())
	if err != nil {
		return nil, err
	}
	long, err := newBucketRates(e.GetLongRates())
	if err != nil {
		return nil, fmt.Errorf("long context: %w", err)
	}
	return &Entry{
		rates:         rates,
		longRates:     long,
		longThreshold: e.GetLongContextThreshold(),
		maxInput:      e.GetMaxInputTokens(),
		maxOutput:     e.GetMaxOutputTokens(),
	}, nil
}

// Version names the book, as every priced attempt does.
func (b *Book) Version() string { return b.version }

// Find returns the entry of a model in one price list. Names are compared as
// they are written; Bedrock's also without vendor, global profile and ARN, since its
// list has none of these.
func (b *Book) Find(list, model string) (*Entry, bool) {
	for _, name := range names(list, model) {
		if entry, ok := b.entries[modelKey{list: list, model: name}]; ok {
			return entry, true
		}
	}
	return nil, false
}

// MaxInputTokens is the model's own bound; 0 where it is unknown.
func (e *Entry) MaxInputTokens() int64 { return e.maxInput }

// MaxOutputTokens is the model's own bound; 0 where it is unknown.
func (e *Entry) MaxOutputTokens() int64 { return e.maxOutput }

// Cost returns nano-dollars for the tokens of one attempt. It is false where a
// used bucket has no known price, a count is negative, or the sum does not fit:
// such an attempt is unpriced, which is not the same as free.
func (e *Entry) Cost(usage *usagev1.TokenUsage) (nanoUSD int64, priced bool) {
	tokens := counts(usage)
	rates := &e.rates
	if e.longThreshold > 0 && tokens.allInput() > e.longThreshold {
		rates = &e.longRates
	}
	return rates.cost(tokens)
}

// CacheSaved returns by how many nano-dollars the provider's prompt cache made an attempt
// cheaper: what the same tokens cost, had those of the cache been plain input, less what they
// do cost. The two are rounded once each, so that Cost + CacheSaved is exactly the former.
// It is negative where writing cost more than reading saved, and false where no token was
// read or written, or one of the two is unpriced.
func (e *Entry) CacheSaved(usage *usagev1.TokenUsage) (nanoUSD int64, ok bool) {
	cached := usage.GetCacheRead() + usage.GetCacheWrite_5M() + usage.GetCacheWrite_1H()
	if cached <= 0 {
		return 0, false
	}
	with, priced := e.Cost(usage)
	plain, plainPriced := e.Cost(&usagev1.TokenUsage{
		Input: usage.GetInput() + cached, InputAudio: usage.GetInputAudio(),
		Output: usage.GetOutput(), Reasoning: usage.GetReasoning(), OutputAudio: usage.GetOutputAudio(),
	})
	if !priced || !plainPriced {
		return 0, false
	}
	return plain - with, true
}

// Expected returns nano-dollars for so many tokens of a plain prompt and answer, as Cost
// does.
func (e *Entry) Expected(inputTokens, outputTokens int64) (nanoUSD int64, priced bool) {
	rates := &e.rates
	if e.longThreshold > 0 && inputTokens > e.longThreshold {
		rates = &e.longRates
	}
	return rates.cost(bucketCounts{input: inputTokens, output: outputTokens})
}
