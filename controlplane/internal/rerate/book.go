package rerate

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// ParseBook reads the name that an attempt has of the book which priced it; false: it is not
// of a form that there ever was.
func ParseBook(name string) (Book, bool) {
	builtin, version, overridden := strings.Cut(name, "+o")
	if !overridden {
		return Book{Builtin: name}, name != ""
	}
	at, err := strconv.ParseInt(version, 10, 64)
	return Book{Builtin: builtin, Overrides: at}, err == nil && at > 0 && builtin != ""
}

// Prices are a book that attempts are held against.
type Prices struct {
	book *price.Book
	// places are "", and those where some model costs more.
	places []string
	models map[price.Query]*price.Model
}

// NewPrices compiles a book.
func NewPrices(book *policyv1.PriceBook) (*Prices, error) {
	compiled, err := price.NewBook(book)
	if err != nil {
		return nil, err
	}
	p := &Prices{book: compiled, places: []string{""}, models: map[price.Query]*price.Model{}}
	for _, e := range book.GetEntries() {
		for _, g := range e.GetGeoFactors() {
			if !slices.Contains(p.places, g.GetRegion()) {
				p.places = append(p.places, g.GetRegion())
			}
		}
	}
	return p, nil
}

// entry that prices a request which began then; nil: none does.
func (p *Prices) entry(q price.Query, began time.Time) *price.Entry {
	model, known := p.models[q]
	if !known {
		model = p.book.Lookup(q)
		p.models[q] = model
	}
	return model.At(began)
}
