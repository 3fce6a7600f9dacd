package upstream

import (
	"context"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
)

// What an agent reported is settled once it had the time to ship it: with its next report.
func TestPlaneSettlesWhatWasReportedBefore(t *testing.T) {
	server := httptest.NewServer(NewPlane(nil))
	t.Cleanup(server.Close)
	client := agentv1connect.NewAgentServiceClient(server.Client(), server.URL)
	for _, c := range []struct{ reported, settled int64 }{{0, 0}, {10, 0}, {25, 10}, {25, 25}} {
		report := &agentv1.ReportRequest{Tails: []*agentv1.BootTail{{Boot: "1-a", LastSeq: c.reported}}}
		if _, err := client.Report(t.Context(), connect.NewRequest(report)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := client.Watch(ctx, connect.NewRequest(&agentv1.WatchRequest{}))
		if err != nil {
			t.Fatal(err)
		}
		if !stream.Receive() {
			t.Fatal(stream.Err())
		}
		beat := stream.Msg().GetHeartbeat()
		cancel()
		_ = stream.Close()
		last := int64(0)
		for _, r := range beat.GetSettled() {
			if r.GetBoot() != "1-a" || r.GetFirstSeq() != 1 {
				t.Errorf("settled %v", r)
			}
			last = r.GetLastSeq()
		}
		if last != c.settled || beat.GetServerTime() == nil || beat.GetBehind() {
			t.Errorf("after a report of %d: %v", c.reported, beat)
		}
	}
}
