package balance_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// TestYield: a target that is not tried now keeps no other request from probing it, and is
// not left out.
func TestYield(t *testing.T) {
	b := newBench(t)
	for range 5 {
		b.ends(failed)
	}
	b.sleep(2 * time.Second)
	p := b.plan()
	p.Next()
	b.stands(balance.Probed, "the last 5 requests failed: 503")
	p.Yield()
	b.stands(balance.Due, "the last 5 requests failed: 503")
	if p.Next() == nil {
		t.Error("it is left out")
	}
}

// TestFresh: until each target was tried that may be.
func TestFresh(t *testing.T) {
	var p balance.Plan
	begin(&p, route(snapshot.Retry{Attempts: 5}, 0, 0, 0), first)
	p.Leave(1)
	for tried, want := range []bool{true, true, false, false} {
		if p.Fresh() != want || !p.Left() {
			t.Errorf("fresh is not %t after %d attempts, or nothing is left", want, tried)
		}
		p.Next()
		p.Begun()
	}
}

// TestWhatIsLeftOutStaysOut: of two attempts under way the one that fails first tells that
// the other's target takes no more.
func TestWhatIsLeftOutStaysOut(t *testing.T) {
	b := newBench(t)
	b.route = route(snapshot.Retry{Attempts: 5}, 0, 0)
	for _, target := range b.route.Targets {
		target.Price = entry(t, 1, 1, 8000)
	}
	p := b.plan()
	one := p.Next()
	p.Begun()
	p.Next()
	p.Begun()
	p.Failed(snapshot.ContextTooLong, 0, 0)
	p.Turn(one)
	p.Failed(snapshot.Timeout, 0, 0)
	if p.Left() {
		t.Error("it is tried again")
	}
}

// TestResort: a target is one only while its breaker is open and no better one is left.
func TestResort(t *testing.T) {
	b := newBench(t)
	b.route = route(snapshot.Retry{Attempts: 2, Once: true}, 0, 0)
	b.ends(balance.Ending{Failed: snapshot.Credential, Status: 401})
	p := b.plan()
	for _, want := range []struct {
		model  string
		resort bool
	}{{"b", false}, {"a", true}} {
		if target := p.Next(); target.Model != want.model || p.Resort() != want.resort {
			t.Errorf("goes to %s, as a last resort %t", target.Model, p.Resort())
		}
		p.Begun()
	}
}

// TestACanaryComesFirstOrNotAtAll: one that was not well then is no reason to hold an answer
// back for another attempt.
func TestACanaryComesFirstOrNotAtAll(t *testing.T) {
	b := newBench(t)
	b.route = route(snapshot.Retry{Attempts: 2, Once: true}, 0, 0)
	b.route.Canary = &snapshot.Share{Target: target("z", 0), PerMille: 1000}
	b.target = b.targets.Of(b.route.Canary.Target)
	b.ends(balance.Ending{Failed: snapshot.Credential, Status: 401})
	p := b.plan()
	if got := walk(p, snapshot.Timeout); got != "ab" || p.Left() {
		t.Errorf("went %s, and another attempt is left: %t", got, p.Left())
	}
}
