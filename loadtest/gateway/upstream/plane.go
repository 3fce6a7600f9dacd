package upstream

import (
	"context"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
)

// heartbeatEvery is how often an agent hears of its control plane.
const heartbeatEvery = time.Second

// plane is as much of a control plane as an agent with a policy of its own needs to go on
// for hours: it confirms the policy and settles usage, whoever asks. Without it the spool
// would fill, since acknowledged is not settled.
type plane struct {
	agentv1connect.UnimplementedAgentServiceHandler

	safe func() []*agentv1.SettledRange // nil: what was reported before

	mu       sync.Mutex
	reported []*agentv1.BootTail // what the last report said is on disk
	settled  []*agentv1.BootTail // what the one before it said: that came to the broker since
}

// NewPlane serves agents. Settled are those records that safe says are; nil: all that were
// reported a while ago.
func NewPlane(safe func() []*agentv1.SettledRange) http.Handler {
	_, handler := agentv1connect.NewAgentServiceHandler(&plane{safe: safe})
	return handler
}

// Report notes what the agent has recorded.
func (p *plane) Report(_ context.Context, r *connect.Request[agentv1.ReportRequest]) (*connect.Response[agentv1.ReportResponse], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled, p.reported = p.reported, r.Msg.GetTails()
	return connect.NewResponse(&agentv1.ReportResponse{ServerTime: timestamppb.Now()}), nil
}

// Watch says again and again that the agent is current, and what is settled.
func (p *plane) Watch(ctx context.Context, _ *connect.Request[agentv1.WatchRequest], stream *connect.ServerStream[agentv1.WatchResponse]) error {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for {
		beat := &agentv1.Heartbeat{ServerTime: timestamppb.Now(), Settled: p.ranges()}
		if err := stream.Send(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_Heartbeat{Heartbeat: beat}}); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *plane) ranges() (all []*agentv1.SettledRange) {
	if p.safe != nil {
		return p.safe()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, tail := range p.settled {
		if tail.GetLastSeq() > 0 {
			all = append(all, &agentv1.SettledRange{Boot: tail.GetBoot(), FirstSeq: 1, LastSeq: tail.GetLastSeq()})
		}
	}
	return all
}
