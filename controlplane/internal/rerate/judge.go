package rerate

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/proto/contract/price"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Reason why an attempt can't be priced anew; empty: it can. docs/api.md has what each means.
type Reason string

// Reasons.
const (
	Estimated     Reason = "estimated"
	UsageUnknown  Reason = "usage_unknown"
	WasUnpriced   Reason = "was_unpriced"
	WasEstimated  Reason = "was_estimated"
	BookUnknown   Reason = "book_unknown"
	NotReproduced Reason = "not_reproduced"
	Ambiguous     Reason = "ambiguous"
	Images        Reason = "images"
	ServiceTier   Reason = "service_tier"
	NoPrice       Reason = "no_price"
	// Lost are attempts that tombstones sum up.
	Lost Reason = "lost"
)

// Attempt is what a row keeps of one call to a provider.
type Attempt struct {
	// StartedAt of the request, which with RequestID, Boot, Seq and Number tells which it is.
	StartedAt time.Time
	RequestID uuid.UUID
	Boot      string
	Seq       int64
	Number    uint16
	// Last: the request ended with it.
	Last          bool
	Kind, Surface string

	ProjectID, KeyID, ProviderID uuid.UUID
	Route, Provider, Model       string
	LastModel                    string
	Labels                       map[string]string

	PolicyVersion                       int64
	UsageSource, ServiceTier, PriceBook string
	Usage                               *usagev1.TokenUsage
	RecordedNanoUSD, CorrectedNanoUSD   *int64 // nil: unpriced
	PriceEstimated                      bool
}

// Sold is how the organization's provider stood, as far as prices go by that.
type Sold struct{ List, Region string }

// World is what a judgement looks up.
type World interface {
	// Prices of a book; nil: this build does not know it.
	Prices(ctx context.Context, b Book) (*Prices, error)
	// Sold is the provider at a version of the log; false: there never was one.
	Sold(provider uuid.UUID, version int64) (Sold, bool)
}

// Judge prices attempts by one book.
type Judge struct {
	World
	// By is the book to price with.
	By            *Prices
	PriceUnpriced bool
}

var tiers = map[string]string{
	"unspecified": "", "standard": price.Standard, "batch": price.Batch, "flex": price.Flex, "priority": price.Priority, "fast": price.Fast,
}

// Cost returns what the attempt costs by the book, or why that can't be told. Where nothing
// was used it is what it was. A row does not keep where it was served, nor which of its
// tokens are images; so the attempt is first priced by the book that it was priced by, and
// only what comes to the recorded cost, to the nano-dollar, is taken for what happened.
func (j *Judge) Cost(ctx context.Context, a *Attempt) (nanoUSD int64, why Reason, err error) {
	switch a.UsageSource {
	case "none":
		if a.CorrectedNanoUSD == nil {
			return 0, UsageUnknown, nil
		}
		return *a.CorrectedNanoUSD, "", nil
	case "estimated":
		return 0, Estimated, nil
	case "reported":
	default:
		return 0, UsageUnknown, nil
	}
	tier, known := tiers[a.ServiceTier]
	if !known {
		return 0, ServiceTier, nil
	}
	sold, known := j.Sold(a.ProviderID, a.PolicyVersion)
	if !known {
		return 0, NotReproduced, nil
	}
	query := price.Query{List: sold.List, Model: a.Model, ProviderID: a.ProviderID.String(), Region: sold.Region}
	next := j.By.entry(query, a.StartedAt)
	switch {
	case next == nil:
		return 0, NoPrice, nil
	case next.PricesImages():
		return 0, Images, nil
	case a.RecordedNanoUSD == nil || a.PriceEstimated:
		nanoUSD, why = j.first(a, next, tier)
		return nanoUSD, why, nil
	}
	named, known := ParseBook(a.PriceBook)
	if !known {
		return 0, BookUnknown, nil
	}
	was, err := j.Prices(ctx, named)
	if err != nil {
		return 0, "", err
	}
	if was == nil {
		return 0, BookUnknown, nil
	}
	nanoUSD, why = again(a, was.places, was.entry(query, a.StartedAt), next, tier)
	return nanoUSD, why, nil
}

// first prices what had no price of its own, on the word of who asks for it.
func (j *Judge) first(a *Attempt, next *price.Entry, tier string) (int64, Reason) {
	switch {
	case !j.PriceUnpriced && a.PriceEstimated:
		return 0, WasEstimated
	case !j.PriceUnpriced:
		return 0, WasUnpriced
	case a.Surface == "openai_images":
		return 0, Images
	case nothing(a.Usage):
		return 0, UsageUnknown
	}
	p, _ := next.In(price.Served{Tier: tier})
	return priced(p, a.Usage)
}

// again prices what was priced, where it was served if that can be found out.
func again(a *Attempt, places []string, was, next *price.Entry, tier string) (nanoUSD int64, why Reason) {
	if was.PricesImages() {
		return 0, Images
	}
	found := false
	for _, place := range places {
		served := price.Served{Tier: tier, Geo: place}
		before, sold := was.In(served)
		if !sold {
			continue
		}
		if cost, ok := before.Cost(a.Usage); !ok || cost != *a.RecordedNanoUSD {
			continue
		}
		after, _ := next.In(served)
		cost, reason := priced(after, a.Usage)
		if found && (cost != nanoUSD || reason != why) {
			return 0, Ambiguous
		}
		found, nanoUSD, why = true, cost, reason
	}
	if !found {
		return 0, NotReproduced
	}
	return nanoUSD, why
}

// priced is NoPrice for the zero Price.
func priced(p price.Price, usage *usagev1.TokenUsage) (int64, Reason) {
	if p == (price.Price{}) {
		return 0, NoPrice
	}
	cost, ok := p.Cost(usage)
	if !ok {
		return 0, NoPrice
	}
	return cost, ""
}

func nothing(u *usagev1.TokenUsage) bool {
	return u.GetInput()|u.GetCacheRead()|u.GetCacheWrite_5M()|u.GetCacheWrite_1H()|
		u.GetOutput()|u.GetReasoning()|u.GetInputAudio()|u.GetOutputAudio() == 0
}
