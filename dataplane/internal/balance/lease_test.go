package balance

import "testing"

// TestLease: two requests that both saw that a probe is due don't both make it.
func TestLease(t *testing.T) {
	var b breaker
	b.openUntil(0, 10)
	if b.standing(9) != Open || b.standing(10) != Due || !b.lease(10) || b.standing(10) != Probed || b.lease(11) {
		t.Error("leased twice")
	}
	if over := 10 + int64(lease); b.standing(over) != Due || !b.lease(over) {
		t.Error("a probe that was lost keeps others away")
	}
	if b.release(); b.standing(12) != Due || !b.lease(12) {
		t.Error("not given back")
	}
}
