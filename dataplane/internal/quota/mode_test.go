package quota_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func TestModes(t *testing.T) {
	for _, mode := range []policyv1.QuotaMode{soft, shadow} {
		bubble(t, mode.String(), func(t *testing.T) {
			l := newLedger(t)
			q := budget(t, l, mode, 100, 0)
			m := run(t, l, "a", newDisk(1), q)
			for range 10 {
				reserve(t, m, quota.Claim{Quota: q, Amount: 10}).Settle([]int64{10})
			}
			time.Sleep(3 * time.Second)
			if n := count(t, m, "weir_agent_quota_beyond_total"); n != 0 {
				t.Errorf("%v beyond before it is spent", n)
			}
			for range 5 {
				reserve(t, m, quota.Claim{Quota: q, Amount: 10}).Settle([]int64{20})
				time.Sleep(time.Second)
			}
			time.Sleep(3 * time.Second)
			if n := count(t, m, "weir_agent_quota_beyond_total"); n < 4 || n > 5 {
				t.Errorf("%v of 5 beyond", n)
			}
			if spent, _ := l.sums(id(q)); spent != 200 {
				t.Errorf("%d spent", spent)
			}
			if n := count(t, m, "weir_agent_quota_overruns_total"); n != 0 {
				t.Errorf("%v overruns of what refuses nothing", n)
			}
		})
	}
}
