package rpc_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/policy"
)

// compiler follows a gateway's policy by what changes, as a feed does.
type compiler struct {
	in                    *installation
	organization, gateway uuid.UUID
	before                *policy.Compiled
	compared              int
}

// follow compiles what changed until a time, and holds it against the whole.
func (c *compiler) follow(t *testing.T, end time.Time) {
	for time.Now().Before(end) && !t.Failed() {
		c.step(t)
	}
	t.Logf("%d policies were compiled both ways", c.compared)
}

// step does nothing where the gateway is archived, or the log went on between two reads.
func (c *compiler) step(t *testing.T) {
	query := fleet.PolicyQuery{OrganizationID: c.organization, GatewayID: c.gateway}
	whole, err := c.in.store.PolicyState(t.Context(), query)
	if fault.Is(err, fault.NotFound) {
		return
	}
	query.Since = c.before.Since(time.Now())
	changes, err2 := c.in.store.PolicyState(t.Context(), query)
	if fault.Is(err2, fault.NotFound) {
		return
	}
	if err != nil || err2 != nil {
		t.Errorf("read the state: %v, %v", err, err2)
		return
	}
	next, err := policy.CompileNext(c.before, changes, builtinPrices)
	if err != nil {
		t.Error(err)
		return
	}
	if whole.Version == changes.Version {
		c.compare(t, next, whole, changes)
	}
	c.before = next
}

func (c *compiler) compare(t *testing.T, next *policy.Compiled, whole, changes policy.State) {
	want, err := policy.CompileNext(nil, whole, builtinPrices)
	if err != nil {
		t.Error(err)
		return
	}
	if !bytes.Equal(next.Root, want.Root) || next.MinimumCapability != want.MinimumCapability || next.Bytes != want.Bytes {
		t.Errorf("version %d since %d differs from the whole:\n%s", whole.Version, changes.Since, cmp.Diff(want.Resources(), next.Resources(), protocmp.Transform()))
	}
	if diff := cmp.Diff(policy.Revocations(whole), policy.Revocations(c.before.WithRevoked(changes)), protocmp.Transform()); diff != "" {
		t.Errorf("version %d since %d: revocations differ:\n%s", whole.Version, changes.Since, diff)
	}
	if changes.Since > 0 && changes.Since < changes.Version {
		c.compared++
	}
}
