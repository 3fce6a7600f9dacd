package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func stuckBy(s *policyv1.Sticky, names ...string) *policyv1.Route {
	return &policyv1.Route{Strategy: bySticky, Targets: models(names...), Sticky: s}
}

// TestStickyByHeader: a session stays at its target, across policies; sessions spread.
func TestStickyByHeader(t *testing.T) {
	h := newHarness(t)
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
	h.routed(stuckBy(&policyv1.Sticky{By: policyv1.Sticky_BY_KEY, BreakEvenPercent: 10_000}, "a", "b", "c", "d"))
	home := h.served(toRoute("routed", ""))
	for range 20 {
		if target := h.served(toRoute("routed", "")); target != home {
			t.Fatalf("moved from %s to %s", home, target)
		}
	}
}

// TestStickyByPromptPrefix: a conversation stays as it goes on, its prompt is kept nowhere,
// and short ones go anywhere.
func TestStickyByPromptPrefix(t *testing.T) {
	h := newHarness(t)
	h.routed(stuckBy(&policyv1.Sticky{By: policyv1.Sticky_BY_PROMPT_PREFIX, BreakEvenPercent: 10_000}, "a", "b", "c", "d"))
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
	system, counts = "short", map[string]int{}
	for range 40 {
		counts[h.served(turn("hello", 0))]++
	}
	if len(counts) == 1 {
		t.Errorf("requests too short for a cache stay: %v", counts)
	}
}
