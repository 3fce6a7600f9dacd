package ledger

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	granted   = agentv1.Grant_DENIAL_UNSPECIFIED
	exhausted = agentv1.Grant_DENIAL_EXHAUSTED
	held      = agentv1.Grant_DENIAL_HELD
	restored  = agentv1.Grant_DENIAL_RESTORED
	gone      = agentv1.Grant_DENIAL_GONE
	oldBoot   = agentv1.Grant_DENIAL_OLD_BOOT
)

func TestGrants(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a, b := w.agent(organization), w.agent(organization)
		quota := w.budget(organization, settings(100, hard))
		g := w.lease(a, 1, need(quota, 60))[0]
		got(t, g, 60, granted)
		if g.GetWindow() != "2026-11-01T00:00:00Z/2026-12-01T00:00:00Z" || g.GetLimit() != 100 || g.GetFree() != 40 ||
			g.GetEndsInMs() != time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC).Sub(w.now()).Milliseconds() {
			t.Errorf("got %v", g)
		}
		g = w.lease(b, 1, need(quota, 41))[0]
		if got(t, g, 0, held); g.GetHeldByOthers() != 60 {
			t.Errorf("the other one holds 60: %v", g)
		}
		got(t, w.lease(b, 1, need(quota, 40))[0], 40, granted)
		w.stands(organization, quota, 0, 100, 0)
		g.Granted = 60
		g = w.lease(a, 1, after(quota, g, 60))[0]
		if got(t, g, 60, granted); g.GetHeldByOthers() != 40 {
			t.Errorf("the other one holds 40: %v", g)
		}
		got(t, w.lease(a, 1, needing(after(quota, g, 60), 1))[0], 60, held)
		w.lease(b, 1, &agentv1.Holding{QuotaId: quota.String(), Window: g.GetWindow(), Granted: 40, Spent: 40})
		got(t, w.lease(a, 1, needing(after(quota, g, 60), 1))[0], 60, exhausted)
		w.stands(organization, quota, 100, 0, 0)
	})
}

// What agents would like to have is a part of what is free, smaller as that is; what
// requests wait for comes first.
func TestSlicesShrink(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		quota := w.budget(organization, settings(1000, hard))
		before := int64(1000)
		for i := range 6 {
			g := w.lease(w.agent(organization), 1, want(quota, 1000))[0]
			if g.GetGranted() == 0 || g.GetGranted() >= before {
				t.Errorf("agent %d got %d after %d", i, g.GetGranted(), before)
			}
			before = g.GetGranted()
		}
		left := w.status(organization, quota).Free
		if left < 100 {
			t.Errorf("left %d for who comes next", left)
		}
		got(t, w.lease(w.agent(organization), 1, need(quota, left))[0], left, granted)
	})
}

// A want is what to hold unspent: who has it gets nothing more.
func TestWants(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quota := w.budget(organization, settings(1_000_000, hard))
		g := w.lease(a, 1, want(quota, 100))[0]
		got(t, g, 100, granted)
		h := after(quota, g, 30)
		h.Want = 100
		g = w.lease(a, 1, h)[0]
		got(t, g, 130, granted)
		h = after(quota, g, 30)
		h.Want = 100
		got(t, w.lease(a, 1, h)[0], 130, granted)
		h.Need = 7
		got(t, w.lease(a, 1, h)[0], 137, granted)
	})
}

// Calls that come twice, late or not at all change nothing.
func TestRepeats(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quota := w.budget(organization, settings(100, hard))
		for range 3 { // its answer is lost
			got(t, w.lease(a, 1, need(quota, 10))[0], 10, granted)
		}
		window := w.lease(a, 1, need(quota, 10))[0].GetWindow()
		early := &agentv1.Holding{QuotaId: quota.String(), Window: window, Granted: 10, Spent: 2, Need: 5}
		late := &agentv1.Holding{QuotaId: quota.String(), Window: window, Granted: 15, Spent: 9, Returned: 4}
		for _, h := range []*agentv1.Holding{early, late, early, early, late} {
			got(t, w.lease(a, 1, h)[0], 15, granted)
		}
		w.stands(organization, quota, 9, 2, 89)
		end := closed(&agentv1.Holding{QuotaId: quota.String(), Window: window, Granted: 15, Spent: 10, Returned: 4})
		if g := w.lease(a, 1, end)[0]; g.GetReturned() != 5 || g.GetSpent() != 10 {
			t.Errorf("closed: %v", g)
		}
		w.stands(organization, quota, 10, 0, 90)
		got(t, w.lease(a, 1, need(quota, 20))[0], 35, granted)
		w.lease(a, 1, end)
		w.stands(organization, quota, 10, 20, 70)
	})
}

func TestBoots(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quota, other := w.budget(organization, settings(100, hard)), w.budget(organization, settings(100, hard))
		first := w.lease(a, 1, need(quota, 50), need(other, 50))
		got(t, w.lease(a, 2, need(quota, 10))[0], 10, granted)
		got(t, w.lease(a, 1, needing(after(quota, first[0], 5), 10))[0], 50, oldBoot)
		w.stands(organization, quota, 5, 55, 40)
		t.Run("its_own_late_closing_frees_what_it_knew_of", func(t *testing.T) {
			late := closed(after(quota, first[0], 5))
			late.Granted = 20
			w.lease(a, 1, late)
			w.stands(organization, quota, 5, 40, 55)
		})
		t.Run("its_leases_are_settled_by_the_new_one", func(t *testing.T) {
			earlier := closed(after(quota, first[0], 20))
			earlier.Boot, earlier.Granted = boot(1), 30 // of the other 20 the answer was lost
			w.lease(a, 2, earlier)
			w.stands(organization, quota, 20, 10, 70)
			w.stands(organization, other, 0, 50, 50)
		})
		t.Run("settled_up_frees_what_it_forgot", func(t *testing.T) {
			w.call(a, &agentv1.LeaseRequest{Boot: boot(2), SettledUp: true})
			w.stands(organization, quota, 20, 10, 70)
			w.stands(organization, other, 0, 0, 100)
		})
		t.Run("what_was_spent_of_it_all_the_same_is_overrun", func(t *testing.T) {
			earlier := after(other, first[1], 30)
			earlier.Boot = boot(1)
			w.lease(a, 2, earlier)
			if s := w.status(organization, other); s.Spent != 30 || s.Held != 0 || s.Overrun != 30 {
				t.Errorf("got %+v", s)
			}
		})
		t.Run("one_that_is_none", func(t *testing.T) {
			_, err := w.ledger.Lease(t.Context(), a, &agentv1.LeaseRequest{Boot: "x"})
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("got %v", err)
			}
		})
		t.Run("of_a_copy", func(t *testing.T) {
			copied := "00000002-ffffffffffffffff"
			answer := w.call(a, &agentv1.LeaseRequest{Boot: copied, Holdings: []*agentv1.Holding{need(quota, 1)}})
			got(t, answer.GetGrants()[0], 0, oldBoot)
		})
	})
}

// A boot that ended has nothing, whatever answers it never got, and whatever it said before
// comes late; the next one begins as ever.
func TestABootEnds(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quota, other := w.budget(organization, settings(100, hard)), w.budget(organization, settings(100, hard))
		w.lease(a, 1, need(other, 7))
		first := w.lease(a, 2, need(quota, 50))[0]
		w.lease(a, 2, needing(after(quota, first, 5), 10), need(other, 30)) // its answer is lost
		end := &agentv1.LeaseRequest{Boot: boot(2), Ended: true, Holdings: []*agentv1.Holding{closed(after(quota, first, 8))}}
		w.call(a, end)
		w.stands(organization, quota, 8, 0, 92)
		w.stands(organization, other, 0, 7, 93) // of the boot before nothing was said
		late := w.lease(a, 2, needing(after(quota, first, 5), 20), need(other, 20))
		got(t, late[0], 60, oldBoot)
		got(t, late[1], 30, oldBoot)
		w.call(a, end)
		w.stands(organization, quota, 8, 0, 92)
		w.stands(organization, other, 0, 7, 93)
		w.call(a, &agentv1.LeaseRequest{Boot: boot(1), Ended: true}) // not its newest
		w.stands(organization, other, 0, 7, 93)
		got(t, w.lease(a, 3, need(quota, 10))[0], 10, granted)
	})
}

// Leases of hard budgets are not freed by time; those of others are.
func TestSilentAgents(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a, b := w.agent(organization), w.agent(organization)
		firm, loose := w.budget(organization, settings(100, hard)), w.budget(organization, settings(100, soft))
		w.lease(a, 1, need(firm, 60), need(loose, 60))
		w.step(softAfter + time.Minute)
		w.ledger = w.process() // which looks at once
		w.lease(b, 1, need(firm, 1), need(loose, 1))
		w.stands(organization, firm, 0, 61, 39)
		w.stands(organization, loose, 0, 1, 99)
		if s := w.status(organization, firm); s.Stranded != 60 || len(s.Leases) != 2 {
			t.Errorf("got %+v", s)
		}
		w.lease(a, 1)
		if s := w.status(organization, firm); s.Stranded != 0 {
			t.Errorf("stranded %d of an agent that is back", s.Stranded)
		}
	})
}

func TestWindows(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		hourly := w.budget(organization, settings(100, hard, everyHour))
		first := w.lease(a, 1, need(hourly, 100))[0]
		w.step(time.Hour)
		g := w.lease(a, 1, needing(after(hourly, first, 10), 5))[0]
		if g.GetEndsInMs() != 0 || g.EndsInMs == nil || g.GetGranted() != 100 {
			t.Errorf("of a window that is over: %v", g)
		}
		next := w.lease(a, 1, need(hourly, 100))[0]
		got(t, next, 100, granted)
		if next.GetWindow() == first.GetWindow() || next.GetEndsInMs() != 3600_000 {
			t.Errorf("the next one: %v", next)
		}
		t.Run("a_clock_that_is_late_goes_on_with_it", func(t *testing.T) {
			w.step(-2 * time.Second)
			if g := w.lease(a, 1, after(hourly, next, 1))[0]; g.GetEndsInMs() != 3602_000 {
				t.Errorf("got %v", g)
			}
			w.step(2 * time.Second)
		})
		t.Run("but_not_with_one_far_ahead", func(t *testing.T) {
			g := w.lease(a, 1, &agentv1.Holding{QuotaId: hourly.String(), Window: "2026-11-27T15:00:00Z/2026-11-27T16:00:00Z", Need: 5})[0]
			if g.GetGranted() != 0 || g.GetEndsInMs() != 0 {
				t.Errorf("got %v", g)
			}
		})
		t.Run("one_that_is_none", func(t *testing.T) {
			for _, window := range []string{"x", "\x00", "2026-11-27T15:00:00Z", "2026-11-27T16:00:00Z/2026-11-27T15:00:00Z", "lifetime "} {
				h := closed(&agentv1.Holding{QuotaId: hourly.String(), Window: window, Granted: 9, Spent: 5, Need: 5})
				if g := w.lease(a, 1, h)[0]; g.GetDenial() != gone || g.GetGranted() != 9 || g.GetReturned() != 0 && g.GetReturned() != 4 {
					t.Errorf("%q: got %v", window, g)
				}
			}
		})
		t.Run("for_ever", func(t *testing.T) {
			g := w.lease(a, 1, need(w.budget(organization, settings(100, hard, lifetime)), 5))[0]
			if g.EndsInMs != nil || g.StartsAt != nil || g.EndsAt != nil || g.GetWindow() != "lifetime" || g.GetGranted() != 5 {
				t.Errorf("got %v", g)
			}
		})
		t.Run("of_a_limit", func(t *testing.T) {
			daily := w.limit(organization, 50, eventv1.LimitMetric_LIMIT_METRIC_REQUESTS, eventv1.LimitWindow_LIMIT_WINDOW_DAY)
			got(t, w.lease(a, 1, need(daily, 51))[0], 0, held)
			g := w.lease(a, 1, need(daily, 50))[0]
			if got(t, g, 50, granted); g.GetWindow() != "2026-11-27T00:00:00Z/2026-11-28T00:00:00Z" {
				t.Errorf("got %v", g)
			}
		})
	})
}

// Any hour counts, not those of the clock.
func TestRollingWindows(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quota := w.budget(organization, settings(100, hard, overAnHour))
		first := w.lease(a, 1, need(quota, 60))[0]
		if first.GetEndsInMs() != 60_000 || first.GetStartsAt().AsTime() != w.now().Add(-59*time.Minute) || first.GetEndsAt().AsTime() != w.now().Add(time.Minute) {
			t.Errorf("got %v", first)
		}
		w.step(30 * time.Minute)
		w.lease(a, 1, after(quota, first, 50)) // 10 are still held
		second := w.lease(a, 1, need(quota, 41))[0]
		got(t, second, 0, held)
		second = w.lease(a, 1, need(quota, 40))[0]
		got(t, second, 40, granted)
		w.stands(organization, quota, 50, 50, 0)
		w.step(29 * time.Minute)
		got(t, w.lease(a, 1, need(quota, 1))[0], 0, held)
		w.step(time.Minute) // the first sub-window is out
		w.stands(organization, quota, 0, 40, 60)
		third := w.lease(a, 1, need(quota, 60))[0]
		got(t, third, 60, granted)
		t.Run("a_late_process_counts_what_comes_after_its_window", func(t *testing.T) {
			w.step(30 * time.Minute) // the second is out
			got(t, w.lease(a, 1, need(quota, 40))[0], 40, granted)
			w.lease(a, 1, closed(after(quota, second, 0)))
			w.step(-time.Minute)
			got(t, w.lease(a, 1, need(quota, 1))[0], 0, held)
		})
	})
}

// What the window before left comes on top, but for what agents still hold of it.
func TestCarryOver(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quota := w.budget(organization, settings(100, hard, everyHour, carrying))
		first := w.lease(a, 1, need(quota, 60))[0]
		w.step(time.Hour)
		g := w.lease(a, 1, need(quota, 5))[0]
		if got(t, g, 5, granted); g.GetLimit() != 140 || g.GetFree() != 135 {
			t.Errorf("with 60 held: %v", g)
		}
		w.lease(a, 1, closed(after(quota, first, 50)))
		g = w.lease(a, 1, after(quota, g, 5))[0]
		if g.GetLimit() != 150 || g.GetFree() != 145 {
			t.Errorf("with 50 spent: %v", g)
		}
		if s := w.status(organization, quota); s.Limit != 150 || s.Free != 145 {
			t.Errorf("got %+v", s)
		}
		t.Run("a_late_process_grants_nothing_of_what_was_carried", func(t *testing.T) {
			w.step(-time.Minute)
			if g := w.lease(a, 1, need(quota, 1))[0]; g.GetGranted() > 60 || g.GetFree() != 0 {
				t.Errorf("got %v", g)
			}
			w.step(time.Minute)
		})
		t.Run("what_was_carried_is_not_carried_on", func(t *testing.T) {
			w.step(time.Hour)
			if g := w.lease(a, 1, need(quota, 1))[0]; g.GetLimit() != 200 {
				t.Errorf("got %v", g)
			}
		})
	})
}

// What is granted is granted under what the log says by then.
func TestChangedQuotas(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		s := settings(100, hard)
		quota := w.budget(organization, s)
		other := w.process()
		g := w.lease(a, 1, need(quota, 40))[0]
		w.say(organization, quota, &eventv1.BudgetRaised{AmountNanoUsd: 50, ExpiresAt: timestamppb.New(w.now().Add(time.Hour))})
		g = w.lease(a, 1, needing(after(quota, g, 40), 80))[0]
		if got(t, g, 120, granted); g.GetLimit() != 150 {
			t.Errorf("raised: %v", g)
		}
		w.step(2 * time.Hour)
		if s := w.status(organization, quota); s.Limit != 100 || s.Beyond != 20 || s.Free != 0 {
			t.Errorf("after the raise: %+v", s)
		}
		got(t, w.lease(a, 1, needing(after(quota, g, 40), 1))[0], 120, held)
		t.Run("what_is_spent_beyond_is_overrun", func(t *testing.T) {
			w.lease(a, 1, after(quota, g, 110))
			if s := w.status(organization, quota); s.Overrun != 10 {
				t.Errorf("got %+v", s)
			}
		})
		s.AmountNanoUsd = 1000
		w.say(organization, quota, &eventv1.BudgetUpdated{Settings: s})
		w.ledger = other
		got(t, w.lease(a, 1, needing(after(quota, g, 110), 300))[0], 420, granted)
		s.AmountNanoUsd = 500
		w.say(organization, quota, &eventv1.BudgetUpdated{Settings: s})
		got(t, w.lease(a, 1, &agentv1.Holding{QuotaId: quota.String(), Window: g.GetWindow(), Granted: 420, Spent: 110, Need: 81})[0], 420, held)
		t.Run("off", func(t *testing.T) {
			s.Mode = off
			w.say(organization, quota, &eventv1.BudgetUpdated{Settings: s})
			g := w.lease(a, 1, &agentv1.Holding{QuotaId: quota.String(), Window: g.GetWindow(), Granted: 420, Spent: 200, Need: 1})[0]
			if got(t, g, 420, gone); g.GetSpent() != 200 {
				t.Errorf("got %v", g)
			}
			s.Mode = hard
			w.say(organization, quota, &eventv1.BudgetUpdated{Settings: s})
			w.stands(organization, quota, 200, 220, 80)
		})
		t.Run("deleted", func(t *testing.T) {
			w.say(organization, quota, &eventv1.BudgetArchived{})
			got(t, w.lease(a, 1, need(quota, 1))[0], 0, gone)
		})
	})
}

// One organization never learns that another has a quota, nor changes its ledger.
func TestTenants(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		mine, other := uuid.New(), uuid.New()
		a, b := w.agent(mine), w.agent(other)
		quota := w.budget(mine, settings(100, hard))
		g := w.lease(a, 1, need(quota, 40))[0]
		none := uuid.New()
		ask := func(id uuid.UUID) *agentv1.Holding { return needing(after(id, g, 40), 7) }
		answers := w.lease(b, 1, ask(quota), ask(none), need(quota, 1), need(none, 1))
		if !proto.Equal(answers[0], answers[1]) || !proto.Equal(answers[2], answers[3]) {
			t.Errorf("a foreign one and one that is not there: %v", answers)
		}
		got(t, answers[0], 40, gone)
		w.stands(mine, quota, 0, 40, 60)
		if all, err := w.reader.Status(t.Context(), other, []uuid.UUID{quota}); len(all) > 0 || err != nil {
			t.Errorf("status of a foreign quota: %v, %v", all, err)
		}
		t.Run("an_agent_of_another_with_the_same_id", func(t *testing.T) {
			twin := gateway.Agent{ID: a.ID, OrganizationID: other}
			w.lease(twin, 9, ask(quota))
			got(t, w.lease(a, 1, needing(after(quota, g, 0), 10))[0], 50, granted)
		})
	})
}

func TestSubjects(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quota, together := w.budget(organization, settings(100, hard, eachEndUser)), w.budget(organization, settings(100, hard))
		of := func(quota uuid.UUID, subject string, amount int64) *agentv1.Holding {
			h := need(quota, amount)
			h.Subject = subject
			return h
		}
		for i, g := range w.lease(a, 1, of(quota, "jo", 100), of(quota, "al", 100), of(quota, "jo", 1), of(together, "jo", 60), of(together, "al", 60)) {
			want := []int64{100, 100, 100, 60, 60}[i]
			if g.GetGranted() != want {
				t.Errorf("%d: %v", i, g)
			}
		}
		got(t, w.lease(a, 1, of(quota, "nul\x00", 1))[0], 0, gone)
		all, err := w.reader.Status(t.Context(), organization, []uuid.UUID{quota})
		if err != nil || len(all) != 2 || all[0].Subject != "al" || all[0].Held != 100 || all[1].Subject != "jo" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func TestWriteOff(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a, b := w.agent(organization), w.agent(organization)
		quota := w.budget(organization, settings(100, hard))
		g := w.lease(a, 1, need(quota, 80))[0]
		off := &eventv1.BudgetLeaseWrittenOff{Window: g.GetWindow(), AgentId: a.ID.String(), Boot: boot(1), HeldNanoUsd: 80, Reason: "lost"}
		w.say(organization, quota, off)
		w.stands(organization, quota, 0, 0, 100)
		got(t, w.lease(b, 1, need(quota, 100))[0], 100, granted)
		g = w.lease(a, 1, after(quota, g, 30))[0]
		if g.GetReturned() != 80 {
			t.Errorf("the agent is not told: %v", g)
		}
		if s := w.status(organization, quota); s.Spent != 30 || s.Held != 100 || s.Overrun != 30 || s.Beyond != 30 {
			t.Errorf("got %+v", s)
		}
		w.say(organization, quota, off) // once more, and of what is not there
		w.say(organization, quota, &eventv1.BudgetLeaseWrittenOff{Window: "lifetime", AgentId: b.ID.String(), Boot: boot(1)})
		w.stands(organization, quota, 30, 100, 0)
	})
}

// A settlement above what was granted is overrun, and counts.
func TestOverrun(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quota := w.budget(organization, settings(100, hard))
		g := w.lease(a, 1, need(quota, 10))[0]
		g = w.lease(a, 1, after(quota, g, 15))[0]
		if s := w.status(organization, quota); s.Spent != 15 || s.Held != 0 || s.Overrun != 5 || s.Free != 85 {
			t.Errorf("got %+v", s)
		}
		got(t, w.lease(a, 1, needing(after(quota, g, 15), 85))[0], 95, granted)
		w.stands(organization, quota, 15, 80, 5)
	})
}

// Absurd totals are of no quota, and spoil no sums.
func TestAbsurdTotals(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		quota := w.budget(organization, settings(100, hard))
		a := w.agent(organization)
		window := w.lease(a, 1, need(quota, 1))[0].GetWindow()
		for _, n := range []int64{1<<63 - 1, 1 << 62} {
			got(t, w.lease(a, 1, &agentv1.Holding{QuotaId: quota.String(), Window: window, Granted: n, Spent: n})[0], n, gone)
			h := need(quota, n)
			h.Want = n
			if g := w.lease(a, 1, h)[0]; g.GetGranted() > 99 || g.GetDenial() != held {
				t.Errorf("asked for %d: %v", n, g)
			}
		}
		for range 20 { // together more than an int64 holds
			w.lease(w.agent(organization), 1, &agentv1.Holding{QuotaId: quota.String(), Window: window, Granted: 1<<61 - 1, Spent: 1<<61 - 1})
		}
	})
}

// Soft and shadow quotas starve nobody, and show what is beyond.
func TestSoftQuotas(t *testing.T) {
	for _, mode := range []eventv1.QuotaMode{soft, shadow} {
		stores(t, func(t *testing.T, w *world) {
			organization := uuid.New()
			a := w.agent(organization)
			quota := w.budget(organization, settings(100, mode))
			got(t, w.lease(a, 1, need(quota, 90))[0], 90, granted)
			g := w.lease(a, 1, &agentv1.Holding{QuotaId: quota.String(), Window: w.status(organization, quota).Window, Granted: 90, Spent: 90, Need: 20})[0]
			got(t, g, 110, held)
			g = w.lease(a, 1, after(quota, g, 110))[0]
			g = w.lease(a, 1, needing(after(quota, g, 110), 5))[0]
			got(t, g, 115, exhausted)
			h := after(quota, g, 115)
			h.Want = 50
			got(t, w.lease(a, 1, h)[0], 165, exhausted)
			if s := w.status(organization, quota); s.Spent != 115 || s.Held != 50 || s.Beyond != 65 || s.Overrun != 15 {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestRestored(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a, b := w.agent(organization), w.agent(organization)
		quota, loose := w.budget(organization, settings(100, hard)), w.budget(organization, settings(100, soft))
		hourly, freed := w.budget(organization, settings(100, hard, everyHour)), w.budget(organization, settings(100, hard))
		w.lease(b, 1, need(freed, 1))
		g := w.lease(a, 1, need(quota, 10))[0]
		w.save(organization)
		g = w.lease(a, 1, needing(after(quota, g, 10), 80))[0] // which the restored ledger does not know
		w.step(time.Second)
		w.restore(organization, 2_000_000_000)
		w.stands(organization, quota, 0, 10, 90)
		late := w.agent(organization) // which enrolled after it, and is not waited for
		w.step(time.Minute)

		got(t, w.lease(b, 1, need(quota, 50))[0], 0, restored)
		got(t, w.lease(b, 1, need(quota, 50))[0], 0, restored)
		got(t, w.lease(b, 1, need(loose, 50))[0], 50, granted)
		if s := w.status(organization, quota); len(s.Waiting) != 1 || s.Waiting[0] != a.ID {
			t.Errorf("waits for %v", s.Waiting)
		}
		t.Run("an_admin_releases_one", func(t *testing.T) {
			w.say(organization, freed, &eventv1.BudgetLeasesReleased{Epoch: 2_000_000_000})
			got(t, w.lease(b, 1, need(freed, 50))[0], 50, granted)
			got(t, w.lease(b, 1, need(quota, 50))[0], 0, restored)
		})
		t.Run("windows_that_began_since_are_not_held_up", func(t *testing.T) {
			got(t, w.lease(b, 1, need(hourly, 50))[0], 0, restored)
			w.step(time.Hour)
			got(t, w.lease(b, 1, need(hourly, 50))[0], 50, granted)
		})
		t.Run("an_agent_tells_more_than_the_ledger_has", func(t *testing.T) {
			g := w.lease(a, 1, after(quota, g, 60))[0] // its first call, which is told that it was restored
			if got(t, g, 90, restored); g.GetSpent() != 60 {
				t.Errorf("not healed: %v", g)
			}
			w.stands(organization, quota, 60, 30, 10)
			got(t, w.lease(b, 1, need(quota, 10))[0], 0, restored)
		})
		t.Run("all_did", func(t *testing.T) {
			w.lease(a, 1)
			got(t, w.lease(b, 1, need(quota, 11))[0], 0, held)
			got(t, w.lease(b, 1, need(quota, 10))[0], 10, granted)
			if s := w.status(organization, quota); len(s.Waiting) > 0 {
				t.Errorf("waits for %v", s.Waiting)
			}
		})
		t.Run("who_came_later", func(t *testing.T) {
			got(t, w.lease(late, 1, need(loose, 1))[0], 1, restored)
		})
	})
}

// An account of a window long over is forgotten, and who settles it then is told so.
func TestForgotten(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		hourly := w.budget(organization, settings(100, hard, everyHour))
		first := w.lease(a, 1, need(hourly, 10))[0]
		w.step(8 * 24 * time.Hour)
		w.lease(a, 1, need(hourly, 10))
		if w.db == nil {
			w.store.(*memory).of(organization).books = map[accountKey]account{}
		}
		h := closed(after(hourly, first, 4))
		for range 2 {
			g := w.lease(a, 1, h)[0]
			if g.GetGranted() != 10 || g.GetSpent() != 4 || g.GetReturned() != 6 || g.GetEndsInMs() != 0 || g.EndsInMs == nil {
				t.Errorf("got %v", g)
			}
		}
		if w.db != nil {
			accounts := 0
			err := w.ledger.store.look(t.Context(), organization, func(v view) error {
				found, err := v.accounts(t.Context(), []accountKey{{series{quota: hourly}, first.GetWindow()}})
				accounts = len(found)
				return err
			})
			if accounts != 0 || err != nil {
				t.Errorf("%d accounts are kept, %v", accounts, err)
			}
		}
	})
}

// slow lets calls gather while a transaction runs.
type slow struct {
	store
	took         time.Duration
	transactions int
}

func (s *slow) transact(ctx context.Context, organization uuid.UUID, fn func(tx) error) error {
	s.transactions++
	time.Sleep(s.took)
	return s.store.transact(ctx, organization, fn)
}

// Calls that come while a transaction runs share the next one.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := inMemory(t)
		organization := uuid.New()
		quota := w.budget(organization, settings(1_000_000, hard))
		s := &slow{store: w.store, took: 10 * time.Millisecond}
		w.store = s
		w.ledger = w.process()
		var calls sync.WaitGroup
		for i := range 100 {
			a := gateway.Agent{ID: uuid.New(), OrganizationID: organization}
			calls.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Microsecond)
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Millisecond)
				defer cancel()
				if i%10 != 0 { // some give up while they wait
					ctx = t.Context()
				}
				answer, err := w.ledger.Lease(ctx, a, &agentv1.LeaseRequest{Boot: boot(1), Holdings: []*agentv1.Holding{need(quota, 10)}})
				if err != nil && i%10 != 0 || err == nil && answer.GetGrants()[0].GetGranted() != 10 {
					t.Errorf("call %d: %v, %v", i, answer, err)
				}
			})
		}
		calls.Wait()
		if s.transactions > 5 {
			t.Errorf("%d transactions for 100 calls within 10 ms", s.transactions)
		}
		if all := w.ledger.lanes.lanes[organization]; all.led || len(all.waiting) > 0 {
			t.Errorf("the lane is left %+v", all)
		}
	})
}

// poisoned fails transactions with a certain subject.
type poisoned struct{ store }

func (p *poisoned) transact(ctx context.Context, organization uuid.UUID, fn func(tx) error) error {
	return p.store.transact(ctx, organization, func(t tx) error { return fn(&poisonedTx{t}) })
}

type poisonedTx struct{ tx }

func (p *poisonedTx) read(ctx context.Context, w wanted) (*state, error) {
	for _, key := range w.accounts {
		if strings.HasPrefix(key.subject, "poison") {
			return nil, fmt.Errorf("%s", key.subject)
		}
	}
	return p.tx.read(ctx, w)
}

// A call that can't be done fails alone.
func TestGroupCommit_poison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := inMemory(t)
		organization := uuid.New()
		quota := w.budget(organization, settings(1_000_000, hard, eachEndUser))
		w.store = &slow{store: &poisoned{w.store}, took: 10 * time.Millisecond}
		w.ledger = w.process()
		var calls sync.WaitGroup
		for i := range 10 {
			calls.Go(func() {
				h := need(quota, 10)
				if i == 5 {
					h.Subject = "poison"
				}
				a := gateway.Agent{ID: uuid.New(), OrganizationID: organization}
				_, err := w.ledger.Lease(t.Context(), a, &agentv1.LeaseRequest{Boot: boot(1), Holdings: []*agentv1.Holding{h}})
				if (err != nil) != (i == 5) {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		calls.Wait()
	})
}

// What is spent above a limit that was lowered is overrun in rolling windows, too, and only as
// long as it counts: what earlier sub-windows spent before them is none.
func TestOverrunOfRollingWindows(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		s := settings(100, hard, overAnHour)
		quota := w.budget(organization, s)
		first := w.lease(a, 1, need(quota, 60))[0]
		w.step(10 * time.Minute)
		second := w.lease(a, 1, need(quota, 40))[0]
		lowered := proto.CloneOf(s)
		lowered.AmountNanoUsd = 50
		w.say(organization, quota, &eventv1.BudgetUpdated{Settings: lowered})
		overrun := func(want int64) {
			t.Helper()
			if got := w.status(organization, quota).Overrun; got != want {
				t.Errorf("overrun %d, want %d", got, want)
			}
		}
		w.lease(a, 1, after(quota, first, 45)) // of a sub-window that is not the present one
		overrun(0)
		w.lease(a, 1, after(quota, second, 10))
		overrun(5)
		w.lease(a, 1, after(quota, first, 55), after(quota, second, 30))
		overrun(35)              // spent 85 of 50
		w.step(51 * time.Minute) // the first is out, and so is what was overrun in it
		w.lease(a, 1, after(quota, second, 40))
		if s := w.status(organization, quota); s.Spent != 40 || s.Overrun != 25 {
			t.Errorf("got %+v", s)
		}
		lowered.AmountNanoUsd = 20
		w.say(organization, quota, &eventv1.BudgetUpdated{Settings: lowered})
		w.lease(a, 1, after(quota, first, 60))
		overrun(25)
		if page, _, err := w.reader.History(t.Context(), organization, quota, "", "", 10); err != nil || len(page) != 1 || page[0].Spent != 60 || page[0].Overrun != 10 {
			t.Errorf("got %+v, %v", page, err)
		}
	})
}

// However many rows a call writes, all of them are there afterwards.
func TestManyRows(t *testing.T) {
	w := inPostgres(t)
	for _, n := range []int{1, 3, 16, 17, 40} {
		organization := uuid.New()
		a := w.agent(organization)
		apart, ever := w.budget(organization, settings(100, hard, eachEndUser)), w.budget(organization, settings(100, hard, eachEndUser, lifetime))
		var asked []*agentv1.Holding
		for i := range n {
			h := need([]uuid.UUID{apart, ever}[i%2], int64(i+1))
			h.Subject = fmt.Sprint(i)
			asked = append(asked, h)
		}
		granted := w.lease(a, 1, asked...)
		for range 4 { // in the end all of them are remembered
			for i, g := range granted {
				subject := asked[i].GetSubject()
				asked[i] = needing(after(uuid.MustParse(asked[i].GetQuotaId()), g, 0), 1)
				asked[i].Subject = subject
			}
			granted = w.lease(a, 1, asked...)
		}
		if lane := w.ledger.lanes.lanes[organization]; lane.trust != presuming && n <= mostListed {
			t.Errorf("trust %d", lane.trust)
		}
		for i, h := range asked {
			s, ok, err := w.reader.Subject(t.Context(), organization, uuid.MustParse(h.GetQuotaId()), h.GetSubject())
			if !ok || err != nil || s.Held != int64(i+5) || len(s.Leases) != 1 || s.Leases[0].Held != s.Held {
				t.Errorf("%d of %d: %+v, %v", i, n, s, err)
			}
		}
	}
}
