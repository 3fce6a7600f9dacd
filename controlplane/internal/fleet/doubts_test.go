package fleet

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/controlplane/internal/signing"
)

// knowing has every release, and is asked for each a millisecond.
type knowing struct {
	Releases
	asked int
}

func (k *knowing) Witness(context.Context, Served) (Finding, error) {
	k.asked++
	time.Sleep(time.Millisecond)
	return Known, nil
}

// An agent that presents one old release after the other costs those that are connected to
// the gateway one look for each round, and itself no signature before its turn.
func TestManyDoubtsWakeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &knowing{}
		ctx, stop := context.WithCancel(t.Context())
		f := newFeed(Config{Releases: store, Log: slog.New(slog.DiscardHandler), Timing: Timing{}.withDefaults(), metrics: newMetrics(nil)}, place{}, stop)
		f.witnesses.believe([]signing.PublicKey{})
		w := &watcher{wake: make(chan struct{}, 1)}
		f.watchers[w] = struct{}{}
		woken := 0
		go func() {
			for range w.wake {
				woken++
			}
		}()
		presented := func(n int64) position { return position{1, n, "root"} }
		for n := range int64(maxDoubts) {
			f.witnesses.doubt(presented(n), Served{})
		}
		if _, _, waits := f.witnesses.stand(presented(maxDoubts)); !waits {
			t.Error("one that there is no room for is looked into")
		}
		go f.examine(ctx)
		time.Sleep(40 * time.Millisecond)
		if synctest.Wait(); woken != 1 || store.asked != maxDoubts {
			t.Errorf("%d releases were looked for and woke everybody %d times", store.asked, woken)
		}
		if _, _, waits := f.witnesses.stand(presented(maxDoubts)); waits {
			t.Error("there is room, and it waits")
		}
		stop()
		close(w.wake)
	})
}
