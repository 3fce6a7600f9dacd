package rpc

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func (s *priceOverrides) ListPrices(ctx context.Context, req *connect.Request[adminv1.ListPricesRequest]) (*connect.Response[adminv1.ListPricesResponse], error) {
	l, err := fromList("prices of "+req.Msg.GetPriceList(), readmodel.PriceFields, req.Msg)
	if err != nil {
		return nil, err
	}
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	answer := &adminv1.ListPricesResponse{}
	// Overrides and their version are seen at one instant.
	err = s.store.Snapshot(ctx, caller.OrganizationID, func(v readmodel.View) error {
		overrides, err := readmodel.PriceOverrides.All(ctx, v)
		if err != nil {
			return err
		}
		version, err := readmodel.PriceOverridesVersion(ctx, v)
		if err != nil {
			return err
		}
		book := policy.PriceBook(s.builtin, overrides, version)
		answer.PriceBookVersion = book.GetVersion()
		return pageOfPrices(ctx, v, l, pricesOf(book, overrides, req.Msg.GetPriceList()), answer)
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}

func pageOfPrices(ctx context.Context, v readmodel.View, l listing, prices []*adminv1.Price, answer *adminv1.ListPricesResponse) error {
	listed := convertAll(prices, func(p *adminv1.Price) readmodel.Price {
		override, _ := uuid.Parse(p.GetPriceOverrideId()) // uuid.Nil where there is none
		return readmodel.Price{PriceList: p.GetPriceList(), Model: p.GetModel(), OverrideID: override, Beside: besideModel(p)}
	})
	found, next, err := readmodel.SelectPrices(ctx, v, l.Query, listed)
	if err != nil {
		return err
	}
	answer.Prices = convertAll(found, func(at int) *adminv1.Price { return prices[at] })
	answer.NextPageToken, err = l.token(next)
	return err
}

// pricesOf one list of a book, or of all.
func pricesOf(book *policyv1.PriceBook, overrides []priceoverride.PriceOverride, list string) []*adminv1.Price {
	by := make(map[policy.EntryKey]string, len(overrides))
	for _, o := range overrides {
		by[policy.KeyOf(policy.ToProtoPriceEntry(o.Settings))] = o.ID.String()
	}
	var prices []*adminv1.Price
	for _, e := range book.GetEntries() {
		if list != "" && e.GetPriceList() != list {
			continue
		}
		p := toProtoPrice(e)
		p.PriceOverrideId = by[policy.KeyOf(e)]
		prices = append(prices, p)
	}
	return prices
}

// besideModel tells prices of one model apart.
func besideModel(p *adminv1.Price) string {
	if p.GetProviderId() == "" && p.GetEffectiveFrom() == nil && p.GetEffectiveUntil() == nil {
		return ""
	}
	return fmt.Sprintf(" %s %d %d", p.GetProviderId(), p.GetEffectiveFrom().AsTime().UnixMicro(), p.GetEffectiveUntil().AsTime().UnixMicro())
}
