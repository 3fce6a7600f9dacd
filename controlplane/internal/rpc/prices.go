package rpc

import (
	"context"
	"slices"
	"strings"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func (s *priceOverrides) ListPrices(ctx context.Context, req *connect.Request[adminv1.ListPricesRequest]) (*connect.Response[adminv1.ListPricesResponse], error) {
	list := "prices of " + req.Msg.GetPriceList()
	after, size, err := fromPage(list, req.Msg.GetPage())
	if err != nil {
		return nil, err
	}
	overrides, version, err := s.effective(ctx)
	if err != nil {
		return nil, err
	}
	book := policy.PriceBook(s.builtin, overrides, version)
	prices := pricesOf(book, overrides, req.Msg.GetPriceList())
	prices = slices.DeleteFunc(prices, func(p *adminv1.Price) bool { return after.Name != "" && priceName(p) <= after.Name })
	answer := &adminv1.ListPricesResponse{Prices: prices, PriceBookVersion: book.GetVersion()}
	if len(prices) > size {
		answer.Prices = prices[:size]
		if answer.NextPageToken, err = toPageToken(list, &readmodel.Cursor{Name: priceName(prices[size-1])}); err != nil {
			return nil, err
		}
	}
	return connect.NewResponse(answer), nil
}

// effective are the overrides and their version, seen at one instant.
func (s *priceOverrides) effective(ctx context.Context) (overrides []priceoverride.PriceOverride, version int64, err error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, 0, errNoCaller
	}
	err = s.store.Snapshot(ctx, caller.OrganizationID, func(v readmodel.View) (err error) {
		if overrides, err = readmodel.PriceOverrides.All(ctx, v); err != nil {
			return err
		}
		version, err = readmodel.PriceOverridesVersion(ctx, v)
		return err
	})
	return overrides, version, err
}

// pricesOf one list of a book, or of all, by name.
func pricesOf(book *policyv1.PriceBook, overrides []priceoverride.PriceOverride, list string) []*adminv1.Price {
	by := make(map[string]string, len(overrides))
	for _, o := range overrides {
		by[o.Name()] = o.ID.String()
	}
	var prices []*adminv1.Price
	for _, e := range book.GetEntries() {
		if list != "" && e.GetPriceList() != list {
			continue
		}
		p := toProtoPrice(e)
		p.PriceOverrideId = by[priceName(p)]
		prices = append(prices, p)
	}
	slices.SortFunc(prices, func(a, b *adminv1.Price) int { return strings.Compare(priceName(a), priceName(b)) })
	return prices
}

// priceName is that of an override for the same model.
func priceName(p *adminv1.Price) string {
	return priceoverride.Settings{PriceList: p.GetPriceList(), Model: p.GetModel()}.Name()
}
