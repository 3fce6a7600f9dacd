package price_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// TestUsageCosts what was computed by hand. That the buckets are what providers say is shown
// where dialects are read, with the same file.
func TestUsageCosts(t *testing.T) {
	text, err := os.ReadFile("testdata/usage.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Prices []json.RawMessage
		Cases  []struct {
			Name, Model, How string
			Usage            json.RawMessage
			Served           struct{ Tier, Geo string }
			Unpriced         bool
			NanoUSD          *int64 `json:"nano_usd"`
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	book := &policyv1.PriceBook{}
	for _, raw := range golden.Prices {
		entry := &policyv1.PriceEntry{}
		if err := protojson.Unmarshal(raw, entry); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		book.Entries = append(book.Entries, entry)
	}
	compiled, err := price.NewBook(book)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range golden.Cases {
		t.Run(c.Name, func(t *testing.T) {
			usage := &usagev1.TokenUsage{}
			if err := protojson.Unmarshal(c.Usage, usage); err != nil {
				t.Fatal(err)
			}
			list, model, _ := strings.Cut(c.Model, "/")
			p, priced := compiled.Lookup(price.Query{List: list, Model: model}).At(anyTime).In(price.Served{Tier: c.Served.Tier, Geo: c.Served.Geo})
			var nano int64
			if priced && !c.Unpriced {
				nano, priced = p.Cost(usage)
			}
			switch {
			case c.NanoUSD == nil && priced && !c.Unpriced:
				t.Errorf("costs %d, and should be unpriced: %s", nano, c.How)
			case c.NanoUSD != nil && (!priced || nano != *c.NanoUSD):
				t.Errorf("costs %d, priced %t; want %d = %s", nano, priced, *c.NanoUSD, c.How)
			}
		})
	}
}
