package proxy

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Policies come and go with ever new models; series don't.
func TestSeriesOfTargetsAreBounded(t *testing.T) {
	g, registry := newGenAI(), prometheus.NewRegistry()
	registry.MustRegister(g.collectors()...)
	u := &upstream{exchange: &exchange{surface: surfaceChat}}
	for i := range 2 * maxTargets {
		u.exchange.policy = &snapshot.Policy{}
		u.target = &snapshot.Target{Provider: &snapshot.Provider{Name: "p", Dialect: policyv1.Dialect_DIALECT_ANTHROPIC}, Model: fmt.Sprint("model-", i)}
		if series := g.of(u); g.of(u) != series {
			t.Fatal("a target has two")
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		most := maxTargets + 1 // and all others
		if family.GetName() == "gen_ai_client_token_usage" {
			most *= 2 // input and output
		}
		if len(family.Metric) != most {
			t.Errorf("%d series of %s, want %d", len(family.Metric), family.GetName(), most)
		}
	}
}
