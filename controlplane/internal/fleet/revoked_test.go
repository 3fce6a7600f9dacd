package fleet_test

import (
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
)

func TestRevokedAgent(t *testing.T) {
	s := serve(t, fleet.Timing{})
	other := serve(t, fleet.Timing{}) // of another organization
	a, b := s.enrol(t), other.enrol(t)
	stream, stays := a.watch(t, &agentv1.WatchRequest{}), b.watch(t, &agentv1.WatchRequest{})
	next(t, stream)
	next(t, stays)
	if status, _ := s.report(t, a); status != http.StatusOK {
		t.Fatalf("status %d before the revocation", status)
	}

	began := time.Now()
	s.world.RevokeAgents()
	for open := true; open; {
		select {
		case _, open = <-stream:
		case <-time.After(5 * time.Second):
			t.Fatal("its stream does not end")
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("its stream ended after %v", took)
	}
	if status, reason := s.report(t, a); status != http.StatusUnauthorized || reason != "agent_revoked" {
		t.Errorf("a report, remembered a moment ago: %d %s", status, reason)
	}
	for m := range a.watch(t, &agentv1.WatchRequest{}) {
		t.Errorf("a new stream has %v", m)
	}
	if status, _ := other.report(t, b); status != http.StatusOK {
		t.Errorf("another agent's report: %d", status)
	}
	other.world.AddKey("still followed")
	until(t, stays, isSnapshot)
}

// Who was never seen alive is refused, too.
func TestRevokedAgent_of_before(t *testing.T) {
	s := serve(t, fleet.Timing{})
	a := s.enrol(t)
	s.world.RevokeAgents()
	if status, reason := s.report(t, a); status != http.StatusUnauthorized || reason != "agent_revoked" {
		t.Errorf("%d %s", status, reason)
	}
}

func (s *server) report(t *testing.T, a *agent) (status int, reason string) {
	t.Helper()
	const rpc = agentv1connect.AgentServiceReportProcedure
	body, err := proto.Marshal(&agentv1.ReportRequest{Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	return post(t, s.url+rpc, a.sign(t, a.claims(rpc, agentjwt.HashBody(body))), body)
}
