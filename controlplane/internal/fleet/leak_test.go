package fleet_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Whatever a hundred streams and polls were in the middle of when they were cut, nothing of
// them is left.
func TestCutStreamsLeaveNothing(t *testing.T) {
	bubble(t, fleet.Timing{}, func(t *testing.T, world *fleettest.World, _ *replica, a *agent) {
		world.AddKeys(9_000)
		cut := func(n int) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if n%3 == 0 {
				go func() { time.Sleep(time.Duration(n) * time.Millisecond); cancel() }()
				_, _ = a.poll(ctx, t, &agentv1.PollRequest{Watch: &agentv1.WatchRequest{Capability: 4}, WaitMs: 30_000})
				return
			}
			stream, err := a.client.Watch(ctx, a.watchRequest(t, &agentv1.WatchRequest{Capability: 4}))
			if err != nil {
				t.Fatal(err)
			}
			for range n % 8 {
				stream.Receive()
			}
			cancel()
			stream.Close()
		}
		cut(1)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		before := runtime.NumGoroutine()
		for n := range 100 {
			cut(n)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if after := runtime.NumGoroutine(); after > before+5 {
			t.Errorf("%d goroutines, before there were %d", after, before)
		}
	})
}
