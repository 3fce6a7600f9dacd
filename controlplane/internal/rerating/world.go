package rerating

import (
	"context"
	"slices"
	"sort"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rerate"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Books are the built-in price books that there are, by name; false: this build has none of
// the name.
type Books func(version string) (book *policyv1.PriceBook, ok bool, err error)

// mostBooks bounds how many books of the past are held at once.
const mostBooks = 32

// world is what the log says of one organization.
type world struct {
	store        *readmodel.Store
	organization uuid.UUID
	builtin      Books
	providers    map[uuid.UUID][]readmodel.Version[provider.Provider]
	prices       map[rerate.Book]*rerate.Prices
}

var _ rerate.World = (*world)(nil)

func newWorld(ctx context.Context, store *readmodel.Store, organization uuid.UUID, builtin Books) (*world, error) {
	w := &world{
		store: store, organization: organization, builtin: builtin,
		providers: map[uuid.UUID][]readmodel.Version[provider.Provider]{}, prices: map[rerate.Book]*rerate.Prices{},
	}
	return w, store.Read(ctx, organization, func(v readmodel.View) error {
		all, err := readmodel.Providers.Versions(ctx, v)
		for _, one := range all {
			w.providers[one.ID] = append(w.providers[one.ID], one)
		}
		return err
	})
}

// Prices implements rerate.World.
func (w *world) Prices(ctx context.Context, b rerate.Book) (*rerate.Prices, error) {
	if known, ok := w.prices[b]; ok {
		return known, nil
	}
	prices, err := w.compile(ctx, b, nil)
	if err != nil {
		return nil, err
	}
	if len(w.prices) >= mostBooks {
		clear(w.prices)
	}
	w.prices[b] = prices
	return prices, nil
}

// compile a book with overrides that are not in the log; nil: this build does not know it.
func (w *world) compile(ctx context.Context, b rerate.Book, proposed []priceoverride.PriceOverride) (*rerate.Prices, error) {
	book, ok, err := w.builtin(b.Builtin)
	if err != nil || !ok {
		return nil, err
	}
	var overrides []priceoverride.PriceOverride
	if b.Overrides > 0 {
		known := false
		err := w.store.Read(ctx, w.organization, func(v readmodel.View) error {
			head, err := readmodel.Head(ctx, v)
			if known = b.Overrides <= head; err != nil || !known {
				return err
			}
			v.AsOf = b.Overrides
			overrides, err = readmodel.PriceOverrides.All(ctx, v)
			return err
		})
		if err != nil || !known {
			return nil, err
		}
	}
	version := b.Overrides
	if len(proposed) > 0 {
		overrides, version = replaced(overrides, proposed), max(version, 1) // no version names them
	}
	return rerate.NewPrices(policy.PriceBook(book, overrides, version))
}

// replaced are overrides with others in place of those with their ids. Of two with one name the
// last counts in a book.
func replaced(overrides, by []priceoverride.PriceOverride) []priceoverride.PriceOverride {
	kept := slices.DeleteFunc(slices.Clone(overrides), func(o priceoverride.PriceOverride) bool {
		return slices.ContainsFunc(by, func(p priceoverride.PriceOverride) bool { return p.ID == o.ID })
	})
	return append(kept, by...)
}

// Sold implements rerate.World. An agent that serves a configuration of before says so of
// the policy alone; that a price was another then shows when it is not reproduced.
func (w *world) Sold(id uuid.UUID, version int64) (rerate.Sold, bool) {
	all := w.providers[id]
	if len(all) == 0 {
		return rerate.Sold{}, false
	}
	after := sort.Search(len(all), func(i int) bool { return all[i].From > version })
	was := all[max(after-1, 0)].State
	return rerate.Sold{List: was.PriceList, Region: was.Region}, true
}
