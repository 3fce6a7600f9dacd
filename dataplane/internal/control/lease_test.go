package control_test

import (
	"context"
	"errors"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/control"
	"github.com/weirhq/weir/dataplane/internal/quota"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

var _ quota.Client = (*control.Client)(nil)

func TestLeaseOfTheRealControlPlane(t *testing.T) {
	r, k := startControlPlane(t), &keys{}
	request := &agentv1.LeaseRequest{Boot: "1", Holdings: []*agentv1.Holding{{
		QuotaId: "0b5a7f3e-0000-4000-8000-000000000009", Granted: 5, Spent: 3, Want: 10,
	}}}
	config := k.config(r, t.TempDir())
	before, err := control.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := before.Lease(t.Context(), request); err == nil {
		t.Error("an agent without an identity is leased something")
	}
	client, _ := run(t, config)
	eventually(t, "it is enrolled", func() bool { _, ok := client.Identity(); return ok })
	answer, err := client.Lease(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	identity, _ := client.Identity()
	if g := answer.GetGrants(); len(g) != 1 || g[0].GetWindow() != identity.AgentID || g[0].GetGranted() != 15 || g[0].GetSpent() != 3 {
		t.Errorf("%v, and the agent is %s", g, identity.AgentID)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Lease(ended, request); !errors.Is(err, context.Canceled) {
		t.Errorf("once its context ended: %v", err)
	}
	r.tell(t, "revoke-agents")
	eventually(t, "a revoked agent is leased nothing", func() bool {
		_, err := client.Lease(t.Context(), request)
		refused := (*control.RefusedError)(nil)
		return errors.As(err, &refused) && client.Revoked() != nil
	})
}
