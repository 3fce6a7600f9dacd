package readmodel

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/filter"
)

// PriceOverridesVersion is the log version of the newest change of any price
// override, archiving included; 0: there never was one. Together with the built-in
// book it names what the view's prices are.
func PriceOverridesVersion(ctx context.Context, v View) (int64, error) {
	const query = `SELECT coalesce(max(greatest(valid_from, CASE WHEN valid_to <= $2 THEN valid_to END)), 0)
		FROM price_override WHERE organization_id = $1 AND valid_from <= $2`
	var version int64
	if err := v.Tx.QueryRow(ctx, query, v.Organization, v.latest()).Scan(&version); err != nil {
		return 0, fmt.Errorf("read version of price overrides: %w", err)
	}
	return version, nil
}

// PriceFields are what lists of prices are filtered and ordered by.
var PriceFields = filter.Schema{
	Fields: []filter.Field{
		nameOfPrice, {Name: "price_list", SQL: "price_list"}, {Name: "model", SQL: "model"},
		{Name: "price_override_id", Kind: filter.ID, SQL: "price_override_id"}, {Name: "provider_id", Kind: filter.ID, SQL: "provider_id"},
	},
	Search: nameOfPrice, Order: "name",
}

var nameOfPrice = filter.Field{Name: "name", SQL: `(price_list || '/' || model) COLLATE "C"`, Bytewise: true, Ordered: true}

// Price is what a price, which no table has, is listed by. OverrideID is uuid.Nil for
// a built-in one, ProviderID for what is for a whole price list. Beside tells several of one
// model apart.
type Price struct {
	PriceList, Model       string
	OverrideID, ProviderID uuid.UUID
	Beside                 string
}

// SelectPrices returns which of the prices are on a page, by their places in the slice.
func SelectPrices(ctx context.Context, v View, q Query, prices []Price) ([]int, *filter.Place, error) {
	ids, lists, models := make([]uuid.UUID, len(prices)), make([]string, len(prices)), make([]string, len(prices))
	overrides, providers := make([]uuid.NullUUID, len(prices)), make([]uuid.NullUUID, len(prices))
	for i, p := range prices {
		ids[i] = uuid.NewSHA1(uuid.Nil, []byte(p.PriceList+"/"+p.Model+p.Beside))
		lists[i], models[i] = p.PriceList, p.Model
		overrides[i], providers[i] = present(p.OverrideID), present(p.ProviderID)
	}
	statement := &filter.Postgres{Args: []any{ids, lists, models, overrides, providers}}
	restricted, err := q.Restrict(statement)
	if err != nil {
		return nil, nil, err
	}
	var at int
	return CollectPage(ctx, v.Tx, q, Selection{
		SQL: fmt.Sprintf(`SELECT %s, id, at FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[])
			WITH ORDINALITY AS price (id, price_list, model, price_override_id, provider_id, at) WHERE %s`, q.Order.Columns(), restricted),
		Args: statement.Args, Into: []any{&at},
	}, func() (int, error) { return at - 1, nil })
}

func present(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }
