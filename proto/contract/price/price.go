// Package price turns token counts into money, exactly: integer pico-dollars per
// token, summed, multiplied by rational factors and rounded once, half up, to
// nano-dollars. It does no I/O and knows no clock: when a request began is told.
package price

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Book prices models. It is immutable.
type Book struct {
	version string
	entries map[modelKey][]*Entry // the latest first
	aliases map[modelKey][]*Entry
}

// modelKey has no provider where the entry is for all of a price list.
type modelKey struct{ list, provider, model string }

func (k modelKey) String() string {
	if k.provider == "" {
		return k.list + "/" + k.model
	}
	return k.list + "/" + k.model + " for " + k.provider
}

// NewBook compiles a price book of the policy. What can't be a price, a factor or a time, and
// a model that is listed twice for the same time, are errors.
func NewBook(book *policyv1.PriceBook) (*Book, error) {
	b := &Book{
		version: book.GetVersion(),
		entries: make(map[modelKey][]*Entry, len(book.GetEntries())),
		aliases: map[modelKey][]*Entry{},
	}
	for place, e := range book.GetEntries() {
		if err := b.add(place, e); err != nil {
			return nil, fmt.Errorf("price book %s: %w", b.version, err)
		}
	}
	for key, entries := range b.entries {
		latestFirst(entries)
		for i, e := range entries[1:] {
			if e.from == entries[i].from {
				return nil, fmt.Errorf("price book %s: %s is listed twice", b.version, key)
			}
		}
	}
	for _, entries := range b.aliases {
		latestFirst(entries)
	}
	return b, nil
}

func (b *Book) add(place int, e *policyv1.PriceEntry) error {
	key := modelKey{list: e.GetPriceList(), provider: e.GetProviderId(), model: e.GetModel()}
	entry, err := newEntry(e)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	entry.place = place
	b.entries[key] = append(b.entries[key], entry)
	for _, alias := range e.GetAliases() {
		other := modelKey{list: key.list, provider: key.provider, model: alias}
		if known := b.aliases[other]; len(known) > 0 && known[0].model != entry.model {
			return fmt.Errorf("%s: the alias %q is of %s, too", key, alias, known[0].model)
		}
		b.aliases[other] = append(b.aliases[other], entry)
	}
	return nil
}

func latestFirst(entries []*Entry) {
	slices.SortStableFunc(entries, func(a, b *Entry) int { return cmp.Compare(b.from, a.from) })
}

// Version names the book, as every priced attempt does.
func (b *Book) Version() string { return b.version }

// Query says which price is looked for.
type Query struct {
	List, Model string
	// ProviderID finds what is for this provider alone, before what is for all of the list.
	ProviderID string
	// Region of the provider, by which prices may differ.
	Region string
}

// Lookup returns what a book has for a model; nil: nothing, at any time. The most exact name
// comes first: the model as it is written, without the
// provider's prefix, without Anthropic's date; Bedrock's without vendor, global profile and
// ARN. Of each, an entry of the provider's own comes before one of the list.
func (b *Book) Lookup(q Query) *Model {
	var found Model
	for _, name := range names(q.List, q.Model) {
		if q.ProviderID != "" {
			found.add(b, modelKey{q.List, q.ProviderID, name}, q.Region)
		}
		found.add(b, modelKey{list: q.List, model: name}, q.Region)
	}
	if found.entries == nil {
		return nil
	}
	return &found
}

// Find is Lookup's present entry of a list that has only one for the model.
func (b *Book) Find(list, model string) (*Entry, bool) {
	entry := b.Lookup(Query{List: list, Model: model}).At(time.Time{})
	return entry, entry != nil
}

// Model is what a book has for one model: its prices over time. It is immutable; nil has
// none.
type Model struct{ entries []*Entry }

func (m *Model) add(b *Book, key modelKey, region string) {
	for _, entries := range [2][]*Entry{b.entries[key], b.aliases[key]} {
		for _, e := range entries {
			m.entries = append(m.entries, e.within(region))
		}
	}
}

// Places are where the book that was compiled has what there is for the model, at all times,
// each once. Of those in effect at a moment the first is what At returns.
func (m *Model) Places() []int {
	var places []int
	if m != nil {
		for _, e := range m.entries {
			if !slices.Contains(places, e.place) {
				places = append(places, e.place)
			}
		}
	}
	return places
}

// At is the entry that prices requests which began then; nil: none does. The zero time is
// before all others.
func (m *Model) At(began time.Time) *Entry {
	if m == nil {
		return nil
	}
	var us int64
	if !began.IsZero() {
		us = began.UnixMicro()
	}
	for _, e := range m.entries {
		if e.from <= us && (e.until == 0 || us < e.until) {
			return e
		}
	}
	return nil
}
