package balance_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
)

// FuzzLine: whatever requests do, in whatever order answers come and whatever they say, nobody
// is forgotten, the places are kept to, and in the end nothing is on its way.
func FuzzLine(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		synctest.Test(t, func(t *testing.T) { play(t, rand.New(rand.NewPCG(seed, 1))) })
	})
}

// onItsWay is a request that went to the upstream.
type onItsWay struct {
	tokens int64
	sent   time.Time
}

func play(t *testing.T, dice *rand.Rand) {
	p := balance.NewTargets(time.Now(), dice.Int64N).Of(target("m", 1)).Pool()
	most := 1 + dice.IntN(20)
	var waiting []*balance.Turn
	tokens := map[*balance.Turn]int64{}
	var under []onItsWay
	answer := func() {
		if len(under) == 0 {
			return
		}
		i := dice.IntN(len(under))
		u := under[i]
		under = append(under[:i], under[i+1:]...)
		var said [2]*balance.Rest
		for i := range said {
			if dice.IntN(3) > 0 {
				limit := 1 + dice.Int64N(1000)
				said[i] = &balance.Rest{Limit: limit, Left: dice.Int64N(limit + 1), Resets: time.Duration(dice.Int64N(int64(2 * time.Minute)))}
			}
		}
		p.Answered(u.tokens, said, u.sent, time.Now())
	}
	for range 300 {
		switch dice.IntN(6) {
		case 0, 1:
			who := balance.Asker{Project: fmt.Sprint(dice.IntN(3)), Key: fmt.Sprint(dice.IntN(4)), KeyWeight: dice.Int64N(101), ProjectWeight: dice.Int64N(101)}
			cost := dice.Int64N(200)
			if _, ok := p.Spare(who, cost, time.Now()); ok {
				p.Sent(who, cost)
				under = append(under, onItsWay{cost, time.Now()})
				break
			}
			wait := time.Duration(dice.Int64N(int64(5 * time.Minute)))
			turn, again, _ := p.Join(balance.Wish{Asker: who, Class: balance.Class(dice.IntN(3)), Tokens: cost, Most: most, Until: time.Now().Add(wait)}, time.Now)
			if turn == nil {
				if again <= 0 {
					t.Fatalf("to come again in %v", again)
				}
				break
			}
			waiting, tokens[turn] = append(waiting, turn), cost
		case 2:
			answer()
		case 3:
			time.Sleep(time.Duration(dice.Int64N(int64(10 * time.Second))))
			synctest.Wait()
		default:
			if len(waiting) == 0 {
				break
			}
			i := dice.IntN(len(waiting))
			turn := waiting[i]
			if isReady(turn) && turn.Came() && dice.IntN(4) > 0 {
				turn.Taken()
				under = append(under, onItsWay{tokens[turn], time.Now()})
			} else if !isReady(turn) && dice.IntN(3) > 0 {
				break
			}
			turn.Leave(time.Now())
			waiting = append(waiting[:i], waiting[i+1:]...)
		}
		undecided := 0
		for _, turn := range waiting {
			if !isReady(turn) {
				undecided++
			}
		}
		if _, _, inLine := p.Under(); inLine != undecided || p.Waiting() != undecided || undecided > most {
			t.Fatalf("%d wait, the line has %d and says %d of %d", undecided, inLine, p.Waiting(), most)
		}
	}
	for _, turn := range waiting {
		turn.Leave(time.Now())
	}
	for len(under) > 0 {
		answer()
	}
	if requests, cost, inLine := p.Under(); requests != 0 || cost != 0 || inLine != 0 {
		t.Errorf("in the end %d requests of %d tokens are on their way, and %d wait", requests, cost, inLine)
	}
}
