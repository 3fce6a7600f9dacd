package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// teller is a recorder that tells when another attempt is kept.
type teller struct {
	*fakeRecorder
	kept func()
}

func (r teller) Again(ticket uint64, record *usagev1.UsageRecord) error {
	defer r.kept()
	return r.fakeRecorder.Again(ticket, record)
}

// TestAHedgeHoldsItsBody: the first attempt has content while the one beside it is kept and
// not yet sent. The memory of the body must not serve another request by then.
func TestAHedgeHoldsItsBody(t *testing.T) {
	var late atomic.Bool // who looks at the clock next is the hedge, and waits
	var gate chan struct{}
	h, s := hedging(t, hedgedRoute(nil, 2), func(c *proxy.Config) {
		c.Recorder = teller{c.Recorder.(*fakeRecorder), func() { late.Store(true) }}
		c.Now = func() time.Time {
			if late.CompareAndSwap(true, false) {
				<-gate
			}
			return time.Now()
		}
	})
	synctest.Test(t, func(t *testing.T) {
		gate = make(chan struct{})
		s.learn(t, h, `,"stream":true`, enoughTimes)
		s.acts["gpt-4o"], s.acts["odd-model"] = []act{speaks(150 * ms)}, []act{speaks(0)}
		var holders []int32
		s.sent = func(r *http.Request) { holders = append(holders, proxy.Holders(r.Body)) }
		time.AfterFunc(200*ms, func() { close(gate) })
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, toRouted(t.Context(), `,"stream":true`))
		if len(holders) != 2 || holders[1] < 2 {
			t.Errorf("the bodies of the attempts had %v holders", holders)
		}
		if strings.Count(w.Body.String(), `"content":"gpt-4o"`) != 1 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	h.wantAttempts(enoughTimes+1, []attemptOf{{"gpt-4o", answered, reported}, {"odd-model", overtaken, none}})
}
