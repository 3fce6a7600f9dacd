package rpc

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/proto/contract/price"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func (s *priceOverrides) GetPrice(ctx context.Context, req *connect.Request[adminv1.GetPriceRequest]) (*connect.Response[adminv1.GetPriceResponse], error) {
	if (req.Msg.GetProviderId() == "") == (req.Msg.GetPriceList() == "") {
		return nil, fault.Field("price_list", "want either a provider_id or a price_list")
	}
	at := time.Now()
	if req.Msg.GetEffectiveAt() != nil {
		at = req.Msg.GetEffectiveAt().AsTime()
	}
	answer := &adminv1.GetPriceResponse{}
	err := s.prices(ctx, req.Msg.GetAsOf(), func(v readmodel.View, book *shownBook) error {
		query, err := priceQuery(ctx, v, req.Msg)
		if err != nil {
			return err
		}
		answer.PriceList, answer.Region, answer.PriceBookVersion = query.List, query.Region, book.GetVersion()
		compiled, err := price.NewBook(book.PriceBook)
		if err != nil {
			return fmt.Errorf("compile the price book of organization %s: %w", v.Organization, err)
		}
		book.stand(compiled.Lookup(query), at, answer)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}

// priceQuery is how an agent would look it up.
func priceQuery(ctx context.Context, v readmodel.View, req *adminv1.GetPriceRequest) (price.Query, error) {
	query := price.Query{List: req.GetPriceList(), Model: req.GetModel(), ProviderID: req.GetProviderId()}
	if query.ProviderID == "" {
		return query, nil
	}
	id, err := parseID("provider_id", query.ProviderID)
	if err != nil {
		return query, err
	}
	provider, err := readmodel.Providers.Find(ctx, v, id)
	query.ProviderID, query.List, query.Region = id.String(), provider.PriceList, provider.Region
	return query, err
}

// stand tells of all that there is for a model what counts.
func (b *shownBook) stand(model *price.Model, at time.Time, answer *adminv1.GetPriceResponse) {
	for _, place := range model.Places() {
		e := b.GetEntries()[place]
		c := &adminv1.PriceCandidate{Price: b.price(e), Standing: standingOf(e, at)}
		if c.Standing == adminv1.PriceCandidate_STANDING_COUNTS {
			if answer.Price != nil {
				c.Standing = adminv1.PriceCandidate_STANDING_BEHIND
			} else {
				answer.Price = c.Price
			}
		}
		answer.Candidates = append(answer.Candidates, c)
	}
}

// standingOf is that of an entry alone.
func standingOf(e *policyv1.PriceEntry, at time.Time) adminv1.PriceCandidate_Standing {
	switch {
	case isOver(e, at):
		return adminv1.PriceCandidate_STANDING_OVER
	case !hasBegun(e, at):
		return adminv1.PriceCandidate_STANDING_NOT_YET
	}
	return adminv1.PriceCandidate_STANDING_COUNTS
}
