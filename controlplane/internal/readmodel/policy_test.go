package readmodel_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/route"
)

func TestPolicyState(t *testing.T) {
	db, url := pgtest.OpenURL(t)
	store := readmodel.New(db)
	s, other := tell(t, db, "alpha"), tell(t, db, "beta")
	t.Run("everything_at_one_version", func(t *testing.T) {
		state, err := store.PolicyState(t.Context(), fleet.PolicyQuery{OrganizationID: s.id, GatewayID: s.gateway})
		if err != nil {
			t.Fatal(err)
		}
		if state.Version != s.head || state.OrganizationID != s.id || state.Gateway.ID != s.gateway {
			t.Errorf("version %d, gateway %v", state.Version, state.Gateway)
		}
		if len(state.Providers) != 1 || len(state.Routes) != 1 || len(state.Keys) != 2 {
			t.Errorf("%d providers, %d routes, %d keys", len(state.Providers), len(state.Routes), len(state.Keys))
		}
		for _, k := range state.Keys {
			if (k.RevokedVersion == 8) != (k.ID == s.revokedKey) || k.RevokedAt.IsZero() != (k.ID == s.livingKey) {
				t.Errorf("key %+v", k)
			}
		}
	})
	t.Run("configuration_of_a_version_with_the_keys_of_now", func(t *testing.T) {
		before := other.head
		other.add(route.Route{ID: other.route, Settings: other.routeSettings("gpt")}.Update(other.routeSettings("renamed"), other.world()))
		other.addKey(uuid.New(), "made-since", time.Now())
		q := fleet.PolicyQuery{OrganizationID: other.id, GatewayID: other.gateway}
		for version, name := range map[int64]string{0: "renamed", before: "gpt", before + 1: "renamed"} {
			q.ConfigurationVersion = version
			state, err := store.PolicyState(t.Context(), q)
			if err != nil || state.Routes[0].Name != name || len(state.Keys) != 3 || state.Version != other.head {
				t.Errorf("as of %d: %v, %d keys at version %d, %v", version, state.Routes, len(state.Keys), state.Version, err)
			}
		}
	})
	t.Run("configuration_of_a_version_with_the_regions_of_now", func(t *testing.T) {
		before := other.head
		other.add(gateway.Gateway{ID: other.gateway, Name: "prod", Region: "local"}.Update(gateway.Update{Name: "prod", AllowedRegions: []string{"eu"}}))
		q := fleet.PolicyQuery{OrganizationID: other.id, GatewayID: other.gateway}
		for version, want := range map[int64]string{0: "[eu] []", before: "[] [eu]", before + 1: "[eu] [eu]"} {
			q.ConfigurationVersion = version
			state, err := store.PolicyState(t.Context(), q)
			if len(state.ProvidersNow) != min(1, int(version)) {
				t.Errorf("as of %d: %d providers of now", version, len(state.ProvidersNow))
			}
			if got := fmt.Sprint(state.Gateway.AllowedRegions, state.RegionsNow); err != nil || got != want {
				t.Errorf("as of %d: %s, %v", version, got, err)
			}
		}
	})
	t.Run("revocations_are_kept_for_90_days", func(t *testing.T) {
		execute(t, url, `UPDATE key SET revoked_at = now() - interval '89 days' WHERE revoked_at IS NOT NULL`)
		if state, err := store.PolicyState(t.Context(), fleet.PolicyQuery{OrganizationID: s.id, GatewayID: s.gateway}); len(state.Keys) != 2 || err != nil {
			t.Errorf("after 89 days: %d keys, %v", len(state.Keys), err)
		}
		execute(t, url, `UPDATE key SET revoked_at = now() - interval '91 days' WHERE revoked_at IS NOT NULL`)
		if state, err := store.PolicyState(t.Context(), fleet.PolicyQuery{OrganizationID: s.id, GatewayID: s.gateway}); len(state.Keys) != 1 || err != nil {
			t.Errorf("after 91 days: %d keys, %v", len(state.Keys), err)
		}
	})
	t.Run("what_an_agent_may_have_living_stays_in_the_set", func(t *testing.T) {
		lingers := func() int {
			t.Helper()
			state, err := store.PolicyState(t.Context(), fleet.PolicyQuery{OrganizationID: s.id, GatewayID: s.gateway})
			if err != nil || len(state.Keys) != 1 || len(policy.Revocations(state).GetRevocations()) != len(state.Lingering) {
				t.Fatalf("%d keys, set %v, %v", len(state.Keys), policy.Revocations(state), err)
			}
			return len(state.Lingering)
		}
		releases, reports := fleet.NewReleaseTable(db), fleet.NewReportTable(db)
		epoch, err := releases.Epoch(t.Context(), s.id)
		if err != nil {
			t.Fatal(err)
		}
		report := func(epoch, version int64, away time.Duration) {
			t.Helper()
			status := fleet.Status{LastSeenAt: time.Now().Add(-away), OldestEpoch: epoch, OldestVersion: version, RejectReasons: []string{}}
			if err := reports.Save(t.Context(), []fleet.Report{{OrganizationID: s.id, AgentID: s.agent, Status: status}}); err != nil {
				t.Fatal(err)
			}
		}
		if lingers() != 1 {
			t.Error("forgotten while an agent never said what it stores")
		}
		report(epoch, 7, 100*24*time.Hour)
		if lingers() != 1 {
			t.Error("forgotten while an agent that is away for 100 days stores a release from before the revocation")
		}
		report(epoch-1, 9, 0)
		if lingers() != 1 {
			t.Error("forgotten for a release of an epoch that is over: its version may be of a log that was lost")
		}
		report(epoch, 8, 0)
		if lingers() != 0 {
			t.Error("kept although all that the only agent stores was released since")
		}
		execute(t, url, `UPDATE agent_status SET oldest_version = NULL`)
		if lingers() != 1 {
			t.Error("forgotten while an agent of an earlier build does not say what it stores")
		}
		execute(t, url, `UPDATE agent SET revoked_at = now()`)
		if lingers() != 0 {
			t.Error("kept for a revoked agent")
		}
	})
	t.Run("gateways_of_others_are_not_there", func(t *testing.T) {
		if _, err := store.PolicyState(t.Context(), fleet.PolicyQuery{OrganizationID: s.id, GatewayID: other.gateway}); !fault.Is(err, fault.NotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAcrossOrganizations(t *testing.T) {
	db := pgtest.Open(t)
	store := readmodel.New(db)
	s := tell(t, db, "alpha")
	agent, err := store.Agent(t.Context(), s.agent)
	if err != nil || agent.OrganizationID != s.id || agent.GatewayID != s.gateway || len(agent.PublicKey) != 32 {
		t.Errorf("agent %+v, %v", agent, err)
	}
	if _, err := store.Agent(t.Context(), uuid.New()); !fault.Is(err, fault.NotFound) {
		t.Errorf("an agent that never was: %v", err)
	}
	if taken, err := store.OrganizationNamed(t.Context(), "alpha"); !taken || err != nil {
		t.Errorf("alpha: %t, %v", taken, err)
	}
	gateways, err := store.Gateways(t.Context(), s.id)
	if err != nil || len(gateways) != 1 || gateways[0].ID != s.gateway {
		t.Errorf("gateways %v, %v", gateways, err)
	}
}
