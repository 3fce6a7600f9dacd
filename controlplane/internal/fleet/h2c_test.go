package fleet_test

import (
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
)

// counted is a transport that notes which protocols answered.
type counted struct {
	http.RoundTripper
	protocols map[string]int
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		c.protocols[response.Proto]++
	}
	return response, err
}

// Agents behind a proxy that speaks HTTP/2 without TLS: streams and calls share one
// connection, and one whose messages nobody reads holds up no other.
func TestAgentsOverH2C(t *testing.T) {
	s := serve(t, fleet.Timing{Heartbeat: 20 * time.Millisecond})
	only := new(http.Protocols)
	only.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: only}
	defer transport.CloseIdleConnections()
	through := counted{transport, map[string]int{}}

	a := s.enrol(t)
	a.client = agentv1connect.NewAgentServiceClient(&http.Client{Transport: through}, s.url)
	unread, err := a.client.Watch(t.Context(), a.watchRequest(t, &agentv1.WatchRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	defer unread.Close()
	stream, err := a.client.Watch(t.Context(), a.watchRequest(t, &agentv1.WatchRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	receive := func(what string, want func(*agentv1.WatchResponse) bool) *agentv1.WatchResponse {
		t.Helper()
		for stream.Receive() {
			if want(stream.Msg()) {
				return stream.Msg()
			}
		}
		t.Fatalf("the stream ended before %s: %v", what, stream.Err())
		return nil
	}
	header := release(t, receive("a policy", isSnapshot))
	for range 3 {
		receive("a heartbeat", isHeartbeat)
	}
	s.world.AddKey("another")
	if got := release(t, receive("another policy", isSnapshot)); got.GetVersion() != header.GetVersion()+1 {
		t.Errorf("version %d after version %d", got.GetVersion(), header.GetVersion())
	}
	report := &agentv1.ReportRequest{Outcome: agentv1.ReportRequest_OUTCOME_APPLIED, Position: position(header)}
	body, err := proto.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	call := connect.NewRequest(report)
	call.Header().Set("Authorization", "Bearer "+a.sign(t, a.claims(agentv1connect.AgentServiceReportProcedure, agentjwt.HashBody(body))))
	if _, err := a.client.Report(t.Context(), call); err != nil {
		t.Error(err)
	}
	s.stop()
	receive("being sent away", func(m *agentv1.WatchResponse) bool { return m.GetGoAway() != nil })
	if len(through.protocols) != 1 || through.protocols["HTTP/2.0"] != 3 {
		t.Errorf("calls by protocol: %v", through.protocols)
	}
}
