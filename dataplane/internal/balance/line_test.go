package balance_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
)

// desk is an account whose requests wait in line for it.
type desk struct {
	*balance.Pool
	mu      sync.Mutex
	account account
	refused int
	most    int
	wait    time.Duration
	order   []string // who was served
}

func newDesk(limit int64, bucket bool, most int, wait time.Duration) *desk {
	return &desk{
		Pool:    balance.NewTargets(time.Now(), rand.Int64N).Of(target("m", 1)).Pool(),
		account: account{limit: limit, window: time.Minute, bucket: bucket, left: float64(limit), at: time.Now()},
		most:    most, wait: wait,
	}
}

// dry has somebody else use the account up to so much, and the pool know it.
func (d *desk) dry(left float64) {
	d.account.left = left + 1
	d.Sent(balance.Asker{Project: "other", Key: "other"}, 1)
	d.answer(time.Now())
}

// served is a request that goes to the upstream, and is answered after 50 ms.
func (d *desk) served(name string) {
	sent := time.Now()
	d.mu.Lock()
	d.order = append(d.order, name)
	d.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	d.answer(sent)
}

func (d *desk) answer(sent time.Time) {
	d.mu.Lock()
	rest, ok := d.account.ask(time.Now())
	if !ok {
		d.refused++
	}
	d.mu.Unlock()
	d.Answered(1, [2]*balance.Rest{rest}, sent, time.Now())
}

// ask waits where it must; false: it was refused, or waited in vain.
func (d *desk) ask(ctx context.Context, name string, who balance.Asker, class balance.Class) bool {
	if _, ok := d.Spare(who, 1, time.Now()); ok {
		d.Sent(who, 1)
		d.served(name)
		return true
	}
	until := time.Now().Add(d.wait)
	turn, _, _ := d.Join(balance.Wish{Asker: who, Class: class, Tokens: 1, Most: d.most, Until: until}, time.Now)
	if turn == nil {
		return false
	}
	defer func() { turn.Leave(time.Now()) }()
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-turn.Ready():
	case <-timer.C:
	case <-ctx.Done():
	}
	if !turn.Came() || ctx.Err() != nil {
		return false
	}
	turn.Taken()
	d.served(name)
	return true
}

// crowd has callers ask again and again, so many of each at once, until the time is over.
func (d *desk) crowd(length time.Duration, callers ...patron) map[string]int {
	ctx, stop := context.WithTimeout(context.Background(), length)
	defer stop()
	got := map[string]int{}
	var all sync.WaitGroup
	for _, c := range callers {
		for range c.atOnce {
			all.Go(func() {
				for ctx.Err() == nil {
					if d.ask(ctx, c.name, c.who, c.class) {
						d.mu.Lock()
						got[c.name]++
						d.mu.Unlock()
					}
					select {
					case <-time.After(c.pause + time.Duration(rand.Int64N(int64(20*time.Millisecond)))):
					case <-ctx.Done():
					}
				}
			})
		}
	}
	all.Wait()
	return got
}

type patron struct {
	name   string
	who    balance.Asker
	class  balance.Class
	atOnce int
	pause  time.Duration
}

func key(project, name string) balance.Asker { return balance.Asker{Project: project, Key: name} }

func within(t *testing.T, what string, got, want float64, percent float64) {
	t.Helper()
	if got < want*(1-percent/100) || got > want*(1+percent/100) {
		t.Errorf("%s: %.2f, want %.2f within %.0f %%", what, got, want, percent)
	}
}

// Who has three times the weight is served three times as often, a key within its project and a
// project beside others, whatever there are of either.
func TestLinesGoByWeight(t *testing.T) {
	for name, c := range map[string]struct {
		bucket  bool
		left    float64
		length  time.Duration
		want    int
		callers []patron
	}{
		"keys": {true, 50, 10 * time.Minute, 5900, []patron{
			{name: "three", who: balance.Asker{Project: "a", Key: "1", KeyWeight: 3}, class: balance.Normal, atOnce: 20},
			{name: "one", who: key("a", "2"), class: balance.Normal, atOnce: 20}}},
		"keys_of_what_a_window_has_left": {false, 140, 55 * time.Second, 125, []patron{
			{name: "three", who: balance.Asker{Project: "a", Key: "1", KeyWeight: 3}, class: balance.Normal, atOnce: 20},
			{name: "one", who: key("a", "2"), class: balance.Normal, atOnce: 20}}},
		"projects": {true, 50, 10 * time.Minute, 5900, []patron{
			{name: "three", who: balance.Asker{Project: "a", Key: "1", ProjectWeight: 3}, class: balance.Normal, atOnce: 20},
			{name: "one", who: key("b", "2"), class: balance.Normal, atOnce: 10},
			{name: "one", who: balance.Asker{Project: "b", Key: "3", KeyWeight: 100}, class: balance.Normal, atOnce: 10}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(600, c.bucket, 100, 30*time.Second)
				d.dry(c.left)
				got := d.crowd(c.length, c.callers...)
				t.Log(got, d.refused)
				share := map[string]float64{}
				for _, name := range d.order[40:] { // a quarter of what is left goes at once
					share[name]++
				}
				within(t, "three to one", share["three"]/share["one"], 3, 5)
				if all := got["three"] + got["one"]; all < c.want || d.refused > 0 {
					t.Errorf("%d are served, %d refused by the upstream", all, d.refused)
				}
			})
		})
	}
}

// One that floods the line takes neither turns nor places of who asks seldom.
func TestLinesAreNobodysOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(600, true, 20, 2*time.Second)
		d.dry(50)
		asked := 0
		var mu sync.Mutex
		got := map[string]int{}
		var all sync.WaitGroup
		all.Go(func() {
			sum := d.crowd(3*time.Minute, patron{name: "flood", who: key("flood", "1"), class: balance.Normal, atOnce: 100, pause: 200 * time.Millisecond})
			mu.Lock()
			defer mu.Unlock()
			got["flood"] = sum["flood"]
		})
		for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
			asked++
			all.Go(func() {
				if d.ask(t.Context(), "seldom", key("seldom", "2"), balance.Normal) {
					mu.Lock()
					defer mu.Unlock()
					got["seldom"]++
				}
			})
		}
		all.Wait()
		t.Log(got, asked, d.refused)
		if got["seldom"]*100 < asked*99 || got["flood"] < 1500 {
			t.Errorf("%d of %d are served of who asks seldom, and %d of the flood", got["seldom"], asked, got["flood"])
		}
	})
}

// hears has the pool know that nothing is left of so many tokens.
func (d *desk) hears(limit int64) {
	d.Sent(key("other", "other"), 1)
	d.Answered(1, [2]*balance.Rest{nil, {Limit: limit, Resets: time.Minute}}, time.Now(), time.Now())
}

// joined puts one in line that has to wait.
func (d *desk) joined(t *testing.T, who balance.Asker, class balance.Class) *balance.Turn {
	t.Helper()
	turn, again, _ := d.Join(balance.Wish{Asker: who, Class: class, Tokens: 1, Most: d.most, Until: time.Now().Add(d.wait)}, time.Now)
	if turn == nil {
		t.Fatalf("%v is refused: %v", who, again)
	}
	return turn
}

func isReady(turn *balance.Turn) bool {
	select {
	case <-turn.Ready():
		return true
	default:
		return false
	}
}

// turns are who is served where there is something for one after the other.
func (d *desk) turns(names []string, all []*balance.Turn) (order []string) {
	gone := map[int]bool{}
	for range all {
		d.Sent(key("other", "other"), 1)
		d.Answered(1, [2]*balance.Rest{{Limit: 1, Left: 1, Resets: time.Minute}}, time.Now(), time.Now())
		for i, turn := range all {
			if !gone[i] && isReady(turn) {
				order, gone[i] = append(order, names[i]), true
				turn.Taken()
				d.Answered(1, [2]*balance.Rest{}, time.Now(), time.Now())
			}
		}
	}
	return order
}

// Higher classes are served first, and one in eleven is of a class below that waits.
func TestLinesHaveClasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(60, false, 100, 10*time.Minute)
		d.dry(0)
		var names []string
		var all []*balance.Turn
		for i := range 60 {
			for class, name := range []string{"batch", "normal", "interactive"} {
				if class != int(balance.Interactive) && i >= 5 {
					continue
				}
				names = append(names, name)
				all = append(all, d.joined(t, key(name, name), balance.Class(class)))
			}
		}
		order := d.turns(names, all)
		if len(order) != len(all) {
			t.Fatalf("%d of %d are served", len(order), len(all))
		}
		first, count := map[string]int{}, map[string]int{}
		for i, name := range order[:30] {
			if count[name]++; count[name] == 1 {
				first[name] = i
			}
		}
		if first["interactive"] != 0 || first["normal"] > 12 || first["batch"] > 13 || count["interactive"] < 24 || count["normal"] < 2 || count["batch"] < 2 {
			t.Errorf("first %v, of the first 30 %v", first, count)
		}
	})
}

// None waits for ever, however many above it come.
func TestLinesStarveNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(600, true, 50, 30*time.Second)
		d.dry(50)
		got := d.crowd(3*time.Minute,
			patron{name: "interactive", who: key("a", "1"), class: balance.Interactive, atOnce: 100, pause: 200 * time.Millisecond},
			patron{name: "normal", who: key("b", "2"), class: balance.Normal, atOnce: 30, pause: 200 * time.Millisecond},
			patron{name: "batch", who: key("c", "3"), class: balance.Batch, atOnce: 30, pause: 200 * time.Millisecond})
		t.Log(got, d.refused)
		all := got["interactive"] + got["normal"] + got["batch"]
		if got["normal"]*105 < got["interactive"]*10 || got["batch"]*105 < (all-got["batch"])*10 || got["interactive"]*100 < all*80 {
			t.Errorf("%v", got)
		}
	})
}

// Nor does who asks alone and may wait for less than ten turns of those above it.
func TestLinesThatAreShortStarveNobody(t *testing.T) {
	for _, wait := range []time.Duration{2 * time.Second, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(120, true, 50, wait)
			d.dry(5)
			got := d.crowd(5*time.Minute,
				patron{name: "interactive", who: key("a", "1"), class: balance.Interactive, atOnce: 50, pause: 200 * time.Millisecond},
				patron{name: "batch", who: key("b", "2"), class: balance.Batch, atOnce: 1, pause: 200 * time.Millisecond})
			t.Log(wait, got, d.refused)
			within(t, "a tenth", float64(got["batch"])/float64(got["interactive"]), .1, 35)
		})
	}
}

func TestLine(t *testing.T) {
	bubble := func(name string, most int, wait time.Duration, test func(t *testing.T, d *desk)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(60, false, most, wait)
				d.dry(0)
				test(t, d)
			})
		})
	}
	// The window of the account begins with the minute.
	whole := time.Minute
	bubble("it_is_refused_at_once_what_can_not_be_in_time", 10, 30*time.Second, func(t *testing.T, d *desk) {
		turn, again, _ := d.Join(balance.Wish{Asker: key("a", "1"), Tokens: 1, Most: 10, Until: time.Now().Add(30 * time.Second)}, time.Now)
		if turn != nil || again < whole-time.Second || again > whole || d.Waiting() != 0 {
			t.Errorf("in line %v, to come in %v, %d wait", turn, again, d.Waiting())
		}
		time.Sleep(whole - 20*time.Second)
		if turn := d.joined(t, key("a", "1"), balance.Normal); isReady(turn) {
			t.Error("its turn is now")
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if d.Waiting() != 0 {
			t.Error("it waits for what is there")
		}
	})
	bubble("it_is_refused_at_once_what_is_more_than_there_ever_is", 10, 2*whole, func(t *testing.T, d *desk) {
		d.hears(1000)
		turn, again, full := d.Join(balance.Wish{Asker: key("a", "1"), Class: balance.Normal, Tokens: 1001, Most: 10, Until: time.Now().Add(2 * whole)}, time.Now)
		if turn != nil || full || again <= 0 || again > whole {
			t.Errorf("in line %v, full %v, to come in %v", turn, full, again)
		}
		small := d.joined(t, key("b", "2"), balance.Normal)
		time.Sleep(whole)
		synctest.Wait()
		if !small.Came() {
			t.Error("it waits for nothing")
		}
	})
	bubble("nor_is_it_waited_for_once_that_is_known", 10, 2*whole, func(t *testing.T, d *desk) {
		large, _, _ := d.Join(balance.Wish{Asker: key("a", "1"), Class: balance.Normal, Tokens: 1001, Most: 10, Until: time.Now().Add(2 * whole)}, time.Now)
		small := d.joined(t, key("b", "2"), balance.Normal)
		d.hears(1000)
		if large == nil || !isReady(large) || large.Came() || isReady(small) || d.Waiting() != 1 {
			t.Errorf("what is more than there ever is holds others up: %d wait", d.Waiting())
		}
		time.Sleep(whole)
		synctest.Wait()
		if !small.Came() {
			t.Error("it waits for nothing")
		}
	})
	bubble("one_finds_out_what_nobody_heard_of_for_long", 10, 2*whole, func(t *testing.T, d *desk) {
		d.Sent(key("other", "other"), 1)
		d.Answered(1, [2]*balance.Rest{nil, {Limit: 1000, Resets: time.Hour}}, time.Now(), time.Now())
		var all [2]*balance.Turn
		for i := range all {
			all[i], _, _ = d.Join(balance.Wish{Asker: key("a", "1"), Class: balance.Normal, Tokens: 100, Most: 10, Until: time.Now().Add(2 * time.Hour)}, time.Now)
		}
		time.Sleep(whole)
		synctest.Wait()
		if !all[0].Came() || all[1].Came() {
			t.Errorf("it is their turn: %t, %t", all[0].Came(), all[1].Came())
		}
	})
	bubble("as_they_came", 10, 10*whole, func(t *testing.T, d *desk) {
		names := []string{"first", "second", "third", "fourth"}
		var all []*balance.Turn
		for range names {
			all = append(all, d.joined(t, key("a", "1"), balance.Normal))
		}
		if got := d.turns(names, all); !slices.Equal(got, names) {
			t.Errorf("%v", got)
		}
	})
	bubble("a_whole_window_is_for_many", 10, 2*whole, func(t *testing.T, d *desk) {
		first, second := d.joined(t, key("a", "1"), balance.Normal), d.joined(t, key("a", "1"), balance.Normal)
		time.Sleep(whole)
		synctest.Wait()
		if !first.Came() || !second.Came() {
			t.Errorf("%v, %v", first.Came(), second.Came())
		}
	})
	bubble("the_newest_of_who_has_the_most_makes_place", 4, 2*whole, func(t *testing.T, d *desk) {
		var flood []*balance.Turn
		for range 4 {
			flood = append(flood, d.joined(t, key("a", "1"), balance.Normal))
		}
		if turn, _, full := d.Join(balance.Wish{Asker: key("a", "1"), Class: balance.Normal, Tokens: 1, Most: 4, Until: time.Now().Add(2 * whole)}, time.Now); turn != nil || !full {
			t.Error("a fifth has a place")
		}
		other := d.joined(t, key("b", "2"), balance.Normal)
		if !isReady(flood[3]) || flood[3].Came() || isReady(flood[2]) || isReady(other) || d.Waiting() != 4 {
			t.Error("another than the newest of the flood is out")
		}
		urgent := d.joined(t, key("a", "1"), balance.Interactive)
		if isReady(urgent) || !isReady(flood[2]) {
			t.Error("a higher class has no place")
		}
	})
	bubble("a_lower_class_keeps_a_place", 4, 2*whole, func(t *testing.T, d *desk) {
		batch := d.joined(t, key("a", "1"), balance.Batch)
		for range 3 {
			d.joined(t, key("b", "2"), balance.Interactive)
		}
		if turn, _, _ := d.Join(balance.Wish{Asker: key("b", "2"), Class: balance.Interactive, Tokens: 1, Most: 4, Until: time.Now().Add(2 * whole)}, time.Now); turn != nil || isReady(batch) {
			t.Error("the last place of a class is taken")
		}
	})
	bubble("who_leaves_lets_others_move_up", 10, 2*whole, func(t *testing.T, d *desk) {
		first, second := d.joined(t, key("a", "1"), balance.Normal), d.joined(t, key("a", "1"), balance.Normal)
		if again := second.Leave(time.Now()); again < whole-time.Second || d.Waiting() != 1 {
			t.Errorf("to come in %v, %d wait", again, d.Waiting())
		}
		third := d.joined(t, key("b", "1"), balance.Normal)
		time.Sleep(whole)
		synctest.Wait()
		first.Leave(time.Now()) // its turn came
		first.Leave(time.Now())
		if !third.Came() || second.Came() || d.Waiting() != 0 {
			t.Error("what was given up is not another's")
		}
		for i := range 60 - 1 { // what first gave back is there
			if _, ok := d.Spare(key(fmt.Sprint(i), ""), 1, time.Now()); !ok {
				if i < 29 {
					t.Errorf("%d of the window's 60 go", i)
				}
				return
			}
			d.Sent(key(fmt.Sprint(i), ""), 1)
		}
	})
}

// Where nothing is short, whether requests could wait costs nothing.
func TestPoolsThatAreNotTightAllocateNothing(t *testing.T) {
	p, who := poolTarget().Pool(), key("a", "1")
	if n := testing.AllocsPerRun(100, func() {
		p.Allow(who, 1, start)
		p.Spare(who, 1, start)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
