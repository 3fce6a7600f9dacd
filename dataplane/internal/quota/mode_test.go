package quota_test

import (
	"bytes"
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
			beyond := 0
			for range 5 {
				r := reserve(t, m, quota.Claim{Quota: q, Amount: 10})
				for _, id := range r.AppendBeyond(nil) {
					if beyond++; !bytes.Equal(id, q.ID[:]) {
						t.Errorf("beyond %x", id)
					}
				}
				r.Settle([]int64{20})
				time.Sleep(time.Second)
			}
			time.Sleep(3 * time.Second)
			if n := count(t, m, "weir_agent_quota_beyond_total"); n < 4 || n > 5 || beyond != int(n) {
				t.Errorf("%v of 5 beyond, and reservations tell of %d", n, beyond)
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
