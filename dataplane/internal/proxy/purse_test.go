package proxy_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/internal/quota"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// purse is as much of a ledger as one agent needs: each quota has one window, which never
// ends. It grants what is needed and nothing ahead, and never more than there is.
type purse struct {
	t      testing.TB
	mu     sync.Mutex
	limits map[string]int64 // by quota
	totals map[string]*agentv1.Grant
	away   bool
	called bool
	// soft: more may be spent than was granted.
	soft bool
}

// quotas gives the handler a meter with a purse.
func quotas(limits map[string]int64, into **purse, meter **quota.Meter) func(*proxy.Config) {
	return func(c *proxy.Config) {
		p := &purse{limits: limits, totals: map[string]*agentv1.Grant{}}
		m, err := quota.NewMeter(quota.Config{Client: p, Metrics: prometheus.NewRegistry(), Timing: quota.Timing{Wait: 5 * time.Second}})
		if err != nil {
			panic(err)
		}
		c.Quotas, *into, *meter = m, p, m
	}
}

func (p *purse) Lease(_ context.Context, request *agentv1.LeaseRequest) (*agentv1.LeaseResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.called = true; p.away {
		return nil, errors.New("away")
	}
	answer := &agentv1.LeaseResponse{}
	for _, h := range request.GetHoldings() {
		answer.Grants = append(answer.Grants, p.grant(h))
	}
	for _, d := range request.GetDemands() {
		answer.Shares = append(answer.Shares, &agentv1.Share{Amount: p.limits[d.GetQuotaId()], TermMs: 60_000})
	}
	return answer, nil
}

func (p *purse) grant(h *agentv1.Holding) *agentv1.Grant {
	g := p.totals[h.GetQuotaId()+h.GetSubject()]
	if g == nil {
		g = &agentv1.Grant{Window: "lifetime", Limit: p.limits[h.GetQuotaId()]}
		p.totals[h.GetQuotaId()+h.GetSubject()] = g
	}
	g.Spent, g.Returned = max(g.Spent, h.GetSpent()), max(g.Returned, h.GetReturned())
	if !p.soft && (g.Spent+g.Returned > g.Granted || g.Granted-g.Returned > g.Limit) {
		p.t.Errorf("quota %s: %v", h.GetQuotaId(), g)
	}
	free := g.Limit - (g.Granted - g.Returned)
	g.Denial = agentv1.Grant_DENIAL_UNSPECIFIED
	switch need := h.GetNeed(); {
	case need <= free:
		g.Granted += need
		free -= need
	case g.Spent == g.Limit:
		g.Denial = agentv1.Grant_DENIAL_EXHAUSTED
	default:
		g.Denial = agentv1.Grant_DENIAL_HELD
	}
	g.Free = free
	return &agentv1.Grant{Window: g.Window, Limit: g.Limit, Free: g.Free, Granted: g.Granted, Spent: g.Spent, Returned: g.Returned, Denial: g.Denial}
}

// noDisk is the disk of an agent that never died.
type noDisk struct{}

func (noDisk) Boot() string                           { return "00000001-0" }
func (noDisk) Charged() ([]*agentv1.Holding, bool)    { return nil, true }
func (noDisk) ForgetCharges([]*agentv1.Holding)       {}
func (noDisk) RecallCharges([]*agentv1.Holding) error { return nil }
