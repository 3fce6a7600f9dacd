package proxy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func stuckBy(s *policyv1.Sticky, names ...string) *policyv1.Route {
	return &policyv1.Route{Strategy: bySticky, Targets: models(names...), Sticky: s}
}

// usual is what an answer takes here: where they take next to nothing, a busy machine makes
// one of them take a hundred times as long.
var usual = llmtest.Fault{Delay: 10 * time.Millisecond, Times: 1_000_000}

// TestStickyByHeader: a session stays at its target, across policies; sessions spread.
func TestStickyByHeader(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(usual)
	by := &policyv1.Sticky{By: policyv1.Sticky_BY_HEADER, Header: "X-Session", BreakEvenPercent: 10_000}
	h.routed(stuckBy(by, "a", "b", "c"))
	const sessions = 40
	homes, counts := map[string]string{}, map[string]int{}
	for range 3 {
		for i := range sessions {
			session := fmt.Sprint("session ", i)
			target := h.served(toRoute("routed", ""), "X-Session", session)
			if home := homes[session]; home != "" && home != target {
				t.Errorf("%s moved from %s to %s", session, home, target)
			}
			homes[session] = target
			counts[target]++
		}
	}
	if len(counts) != 3 {
		t.Errorf("sessions went to %v", counts)
	}
	h.routed(stuckBy(by, "d", "c", "b", "a"))
	moved := 0
	for session, home := range homes {
		if target := h.served(toRoute("routed", ""), "X-Session", session); target != home {
			if moved++; target != "mock/d" {
				t.Errorf("%s moved from %s to %s", session, home, target)
			}
		}
	}
	if moved == 0 || moved > sessions/2 {
		t.Errorf("%d of %d moved to a fourth target", moved, sessions)
	}
}

// TestStickyByKey: all requests of one are alike.
func TestStickyByKey(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(usual)
	h.routed(stuckBy(&policyv1.Sticky{By: policyv1.Sticky_BY_KEY, BreakEvenPercent: 10_000}, "a", "b", "c", "d"))
	home := h.served(toRoute("routed", ""))
	for range 20 {
		if target := h.served(toRoute("routed", "")); target != home {
			t.Fatalf("moved from %s to %s", home, target)
		}
	}
}

// TestStickyByEndUser: those of one user stay, users spread.
func TestStickyByEndUser(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(usual)
	h.routed(stuckBy(&policyv1.Sticky{By: policyv1.Sticky_BY_END_USER, BreakEvenPercent: 10_000}, "a", "b", "c"))
	counts := map[string]int{}
	for i := range 20 {
		user := fmt.Sprint("user-", i)
		home := h.served(toRoute("routed", ""), "X-Weir-User", user)
		if target := h.served(toRoute("routed", ""), "X-Weir-User", user); target != home {
			t.Errorf("%s moved from %s to %s", user, home, target)
		}
		counts[home]++
	}
	if len(counts) != 3 {
		t.Errorf("users went to %v", counts)
	}
}

// TestStickyByPromptPrefix: a conversation stays as it goes on, its prompt is kept nowhere,
// and short ones go anywhere.
func TestStickyByPromptPrefix(t *testing.T) {
	h := newHarness(t)
	h.routed(stuckBy(&policyv1.Sticky{By: policyv1.Sticky_BY_PROMPT_PREFIX, BreakEvenPercent: 10_000}, "a", "b", "c", "d"))
	h.mock.Script(usual)
	system := strings.Repeat("You keep the weir. ", 400)
	turn := func(first string, turns int) string {
		var b strings.Builder
		fmt.Fprintf(&b, `{"model":"routed","messages":[{"role":"system","content":%q},{"role":"user","content":%q}`, system, first)
		for i := range turns {
			fmt.Fprintf(&b, `,{"role":"assistant","content":"%d"},{"role":"user","content":"and then?"}`, i)
		}
		return b.String() + `]}`
	}
	counts := map[string]int{}
	for i := range 30 {
		first := fmt.Sprint("how much water passed on day ", i)
		home := h.served(turn(first, 0))
		counts[home]++
		for turns := 1; turns < 4; turns++ {
			if target := h.served(turn(first, turns)); target != home {
				t.Errorf("conversation %d moved from %s to %s", i, home, target)
			}
		}
	}
	if len(counts) != 4 {
		t.Errorf("conversations went to %v", counts)
	}
	home := h.served(turn("hello", 0))
	h.mock.Reset()
	h.mock.Script(llmtest.Fault{Model: strings.TrimPrefix(home, "mock/"), Delay: 500 * time.Millisecond}, usual)
	for range 2 { // less slow than the cache is worth
		if target := h.served(turn("hello", 0)); target != home {
			t.Errorf("moved from %s to %s", home, target)
		}
	}
	system = "short"
	for range 10 {
		if target := h.served(turn("hello", 0)); target == home {
			t.Errorf("a request too short for a cache stays at %s", target)
		}
	}
}
