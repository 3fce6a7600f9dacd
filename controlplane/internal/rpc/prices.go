package rpc

import (
	"context"
	"fmt"
	"time"

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
	at := fromTimestamp(req.Msg.GetEffectiveAt())
	l, err := fromList(fmt.Sprintf("prices of %s at %d", req.Msg.GetPriceList(), at.UnixMicro()), readmodel.PriceFields, req.Msg)
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListPricesResponse{}
	err = s.prices(ctx, req.Msg.GetAsOf(), func(v readmodel.View, book *shownBook) error {
		answer.PriceBookVersion = book.GetVersion()
		return pageOfPrices(ctx, v, l, book.prices(req.Msg.GetPriceList(), at), answer)
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}

// prices runs a query about the book as of a moment.
func (s *priceOverrides) prices(ctx context.Context, at *adminv1.AsOf, query func(readmodel.View, *shownBook) error) error {
	caller, ok := authn.From(ctx)
	if !ok {
		return errNoCaller
	}
	// Overrides and their version are seen at one instant.
	return s.store.Snapshot(ctx, caller.OrganizationID, func(v readmodel.View) error {
		v, err := asOf(ctx, v, at)
		if err != nil {
			return err
		}
		overrides, err := readmodel.PriceOverrides.All(ctx, v)
		if err != nil {
			return err
		}
		version, err := readmodel.PriceOverridesVersion(ctx, v)
		if err != nil {
			return err
		}
		return query(v, newShownBook(s.builtin, overrides, version))
	})
}

// shownBook is a price book whose entries say where they are from.
type shownBook struct {
	*policyv1.PriceBook
	overrides map[policy.EntryKey]string // their ids
	builtin   map[policy.EntryKey]*policyv1.PriceEntry
}

func newShownBook(builtin *policyv1.PriceBook, overrides []priceoverride.PriceOverride, version int64) *shownBook {
	b := &shownBook{
		PriceBook: policy.PriceBook(builtin, overrides, version),
		overrides: make(map[policy.EntryKey]string, len(overrides)),
		builtin:   make(map[policy.EntryKey]*policyv1.PriceEntry, len(builtin.GetEntries())),
	}
	for _, o := range overrides {
		b.overrides[policy.KeyOf(policy.ToProtoPriceEntry(o.Settings))] = o.ID.String()
	}
	for _, e := range builtin.GetEntries() {
		b.builtin[policy.KeyOf(e)] = e
	}
	return b
}

func (b *shownBook) price(e *policyv1.PriceEntry) *adminv1.Price {
	p := toProtoPrice(e)
	if p.PriceOverrideId = b.overrides[policy.KeyOf(e)]; p.PriceOverrideId == "" {
		return p
	}
	model := &policyv1.PriceEntry{PriceList: e.GetPriceList(), Model: e.GetModel()}
	if listed, ok := b.builtin[policy.KeyOf(model)]; ok {
		p.BuiltIn = toProtoPrice(listed)
	}
	return p
}

// prices of one list of a book, or of all; in effect at a moment, or at any.
func (b *shownBook) prices(list string, at time.Time) []*adminv1.Price {
	var prices []*adminv1.Price
	var last policy.EntryKey
	for _, e := range b.GetEntries() {
		if list != "" && e.GetPriceList() != list {
			continue
		}
		key := policy.KeyOf(e)
		switch p := b.price(e); {
		case at.IsZero():
			prices = append(prices, p)
		case !inEffect(e, at):
		case len(prices) > 0 && last.Of(key): // it came into effect later
			prices[len(prices)-1], last = p, key
		default:
			prices, last = append(prices, p), key
		}
	}
	return prices
}

func inEffect(e *policyv1.PriceEntry, at time.Time) bool { return hasBegun(e, at) && !isOver(e, at) }

func hasBegun(e *policyv1.PriceEntry, at time.Time) bool {
	return e.GetEffectiveFromUs() <= at.UnixMicro()
}

func isOver(e *policyv1.PriceEntry, at time.Time) bool {
	return e.GetEffectiveUntilUs() != 0 && e.GetEffectiveUntilUs() <= at.UnixMicro()
}

func pageOfPrices(ctx context.Context, v readmodel.View, l listing, prices []*adminv1.Price, answer *adminv1.ListPricesResponse) error {
	listed := convertAll(prices, func(p *adminv1.Price) readmodel.Price {
		override, _ := uuid.Parse(p.GetPriceOverrideId()) // uuid.Nil where there is none
		provider, _ := uuid.Parse(p.GetProviderId())
		return readmodel.Price{PriceList: p.GetPriceList(), Model: p.GetModel(), OverrideID: override, ProviderID: provider, Beside: besideModel(p)}
	})
	found, next, err := readmodel.SelectPrices(ctx, v, l.Query, listed)
	if err != nil {
		return err
	}
	answer.Prices = convertAll(found, func(at int) *adminv1.Price { return prices[at] })
	answer.NextPageToken, err = l.token(next)
	return err
}

// besideModel tells prices of one model apart.
func besideModel(p *adminv1.Price) string {
	if p.GetProviderId() == "" && p.GetEffectiveFrom() == nil && p.GetEffectiveUntil() == nil {
		return ""
	}
	return fmt.Sprintf(" %s %d %d", p.GetProviderId(), p.GetEffectiveFrom().AsTime().UnixMicro(), p.GetEffectiveUntil().AsTime().UnixMicro())
}
