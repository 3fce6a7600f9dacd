package snapshot_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// TestUnpriced: what is done without a price, and what stands in.
func TestUnpriced(t *testing.T) {
	for name, c := range map[string]struct {
		gateway *policyv1.Gateway
		blocks  bool
		standIn bool
		refused string
	}{
		"nothing_said":     {&policyv1.Gateway{}, false, false, ""},
		"allow":            {&policyv1.Gateway{Unpriced: policyv1.Unpriced_UNPRICED_ALLOW}, false, false, ""},
		"block":            {&policyv1.Gateway{Unpriced: policyv1.Unpriced_UNPRICED_BLOCK}, true, false, ""},
		"estimate":         {&policyv1.Gateway{Unpriced: policyv1.Unpriced_UNPRICED_ESTIMATE, EstimatePriceList: "openai", EstimateModel: "gpt-4o"}, false, true, ""},
		"by_what_is_gone":  {&policyv1.Gateway{Unpriced: policyv1.Unpriced_UNPRICED_ESTIMATE, EstimatePriceList: "openai", EstimateModel: "gone"}, false, false, ""},
		"estimate_by_none": {&policyv1.Gateway{Unpriced: policyv1.Unpriced_UNPRICED_ESTIMATE, EstimatePriceList: "openai"}, false, false, "an entry of the price book is named"},
		"block_by_one":     {&policyv1.Gateway{Unpriced: policyv1.Unpriced_UNPRICED_BLOCK, EstimateModel: "gpt-4o"}, false, false, "an entry of the price book is named"},
		"unknown":          {&policyv1.Gateway{Unpriced: 4}, false, false, "which is unknown here"},
	} {
		t.Run(name, func(t *testing.T) {
			resources := good(t)
			for i, r := range resources {
				if r.Kind == "gateway" {
					c.gateway.Id = r.Id
					resources[i] = resource(t, "gateway", r.Id, c.gateway)
				}
			}
			p, err := compile(resources, nil)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("error %v, want one with %q", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if standIn := p.StandIn().At(time.Now()); p.BlocksUnpriced() != c.blocks || (standIn != nil) != c.standIn {
				t.Errorf("blocks %t, stand-in %v", p.BlocksUnpriced(), standIn)
			}
		})
	}
}

// TestAPriceThatCantBe refuses the policy.
func TestAPriceThatCantBe(t *testing.T) {
	resources := good(t)
	for i, r := range resources {
		if r.Kind == "price_book" {
			resources[i] = resource(t, "price_book", "v1", &policyv1.PriceBook{Version: "v1", Entries: []*policyv1.PriceEntry{{
				PriceList: "openai", Model: "gpt-4o", ServiceTiers: []*policyv1.ServiceTierRates{{Name: "flex", Factor: &policyv1.Factor{Numerator: 0, Denominator: 1}}},
			}}})
		}
	}
	_, err := compile(resources, nil)
	var invalid *snapshot.InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(invalid.Error(), "openai/gpt-4o: service tier flex") {
		t.Errorf("error %v", err)
	}
}
