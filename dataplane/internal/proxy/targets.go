package proxy

import (
	"cmp"
	"slices"
	"strings"
	"unique"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// TargetState is how a target of the policy does.
type TargetState struct {
	// ProviderID and the name of the provider, and the model that it is asked for.
	ProviderID, Provider, Model string
	balance.Status
}

// Targets are those of the policy in use that were tried since the agent's start, ordered by
// provider and model.
func (h *Handler) Targets() []TargetState {
	policy, now := h.config.Policy.Load(), h.config.Now()
	if policy == nil {
		return nil
	}
	seen := map[unique.Handle[snapshot.Upstream]]bool{}
	var states []TargetState
	add := func(target *snapshot.Target) {
		if seen[target.Upstream] {
			return
		}
		seen[target.Upstream] = true
		state := h.targets.Find(target.Upstream)
		if state == nil {
			return
		}
		if status := state.Status(now); status.Tried > 0 {
			states = append(states, TargetState{ProviderID: target.Provider.ID, Provider: target.Provider.Name, Model: target.Model, Status: status})
		}
	}
	for _, route := range policy.Routes() {
		for _, target := range route.Targets {
			add(target)
		}
		for _, share := range []*snapshot.Share{route.Canary, route.Shadow} {
			if share != nil {
				add(share.Target)
			}
		}
	}
	h.targets.Forget(func(upstream unique.Handle[snapshot.Upstream]) bool { return !seen[upstream] }, now)
	slices.SortFunc(states, func(a, b TargetState) int {
		return cmp.Or(strings.Compare(a.Provider, b.Provider), strings.Compare(a.Model, b.Model), strings.Compare(a.ProviderID, b.ProviderID))
	})
	return states
}

// targetMetrics are of the targets of the policy in use only: a model that is routed to no
// more is in no series.
type targetMetrics struct{ handler *Handler }

var _ prometheus.Collector = targetMetrics{}

var (
	targetLabels = []string{"provider", "model"}
	targetState  = prometheus.NewDesc("weir_agent_target_state",
		"Circuit breaker of a target that was tried: 0 closed, 1 half open, 2 open.", targetLabels, nil)
	targetInFlight = prometheus.NewDesc("weir_agent_target_requests_in_flight",
		"Requests under way to a target.", targetLabels, nil)
	targetWaiting = prometheus.NewDesc("weir_agent_target_requests_waiting",
		"Requests that wait for what the provider of a target allows.", targetLabels, nil)
	targetFirst = prometheus.NewDesc("weir_agent_target_time_to_first_token_seconds",
		"Time to first content that is expected of a target.", targetLabels, nil)
	targetToken = prometheus.NewDesc("weir_agent_target_time_per_token_seconds",
		"Time of an output token after the first content that is expected of a target.", targetLabels, nil)
)

// Describe implements prometheus.Collector.
func (m targetMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{targetState, targetInFlight, targetWaiting, targetFirst, targetToken} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (m targetMetrics) Collect(to chan<- prometheus.Metric) {
	var last TargetState
	for _, t := range m.handler.Targets() {
		if t.Provider == last.Provider && t.Model == last.Model {
			continue // two providers of one name would make one series
		}
		last = t
		gauge := func(desc *prometheus.Desc, value float64) {
			to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, t.Provider, t.Model)
		}
		gauge(targetState, map[balance.Standing]float64{balance.Due: 1, balance.Probed: 1, balance.Open: 2}[t.Standing])
		gauge(targetInFlight, float64(t.InFlight))
		gauge(targetWaiting, float64(t.Waiting))
		if t.First > 0 {
			gauge(targetFirst, t.First.Seconds())
		}
		if t.PerToken > 0 {
			gauge(targetToken, t.PerToken.Seconds())
		}
	}
}
