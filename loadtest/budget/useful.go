package budget

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// usefulness is how the last percent of a budget was spent, with nothing going wrong.
type usefulness struct {
	asked, served int
	// early of those refused came while there was enough for one such request of each agent.
	early int
	// refused though what was left would have paid for the most that the request can cost: 429;
	// unavailable: 503.
	refused, unavailable int
	firstAfter           time.Duration // until the last of these
	limit, left, worst   int64         // nano-dollars
}

const (
	smallAnswer = 16              // tokens: what asks for less than 64 is not cut
	stuckAfter  = 5 * time.Second // without anybody served
)

// useful spends 99 % of a budget with large requests, by all agents in turn, and then asks,
// one at a time at random agents, for as long as the rest would pay for a small request and
// somebody gets it.
func (r *run) useful(ctx context.Context) error {
	if r.config.Useful == 0 {
		return nil
	}
	r.world.provider.behave()
	a := accounts[2]
	small := ask{key: usefulKey, route: "three", tokens: smallAnswer}
	u := &r.usefulness
	u.worst = (int64(len(small.body(time.Now())))*a.input + smallAnswer*a.output) / 1000
	u.limit = 100 * r.config.Useful * u.worst
	if err := r.tenant.raise(ctx, r.purses[0], 2*u.limit); err != nil { // the organization's
		return err
	}
	p := &planned{
		scope: &adminv1.QuotaScope{On: &adminv1.QuotaScope_KeyId{KeyId: r.tenant.keyIDs[usefulKey]}},
		purse: &purse{name: "useful", amount: u.limit, of: func(c charge) (string, bool) { return "", c.key == usefulKey }},
	}
	if err := r.tenant.budget(ctx, p); err != nil {
		return err
	}
	r.truth.watch([]*purse{p.purse})
	r.auditor.watch(p.purse)
	r.purses = append(r.purses, p.purse)
	if err := r.applied(ctx); err != nil {
		return err
	}
	if err := r.spend(ctx, p.purse, u.limit-u.limit/100, a); err != nil {
		return err
	}
	return r.spendLast(ctx, p.purse, small)
}

// applied returns once all agents serve the policy with the newest budget: what they serve
// before is counted by none.
func (r *run) applied(ctx context.Context) error {
	want, err := r.auditor.head(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.config.Rest)
	defer cancel()
	for _, a := range r.world.agents {
		for {
			version, err := a.policy(ctx)
			if err == nil && version >= want {
				break
			}
			if late := pause(ctx, 100*time.Millisecond); late != nil {
				return fmt.Errorf("%s has version %d of %d: %w", a.name, version, want, errors.Join(late, err))
			}
		}
	}
	return nil
}

// policy is the version that an agent serves: it tells whoever asks.
func (a *agent) policy(ctx context.Context) (version int64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/v1/models", http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return strconv.ParseInt(response.Header.Get("X-Weir-Policy-Version"), 10, 64)
}

// spend asks for as much as one request can cost of what is to go.
func (r *run) spend(ctx context.Context, p *purse, target int64, a account) error {
	for i, deadline := 0, time.Now().Add(r.config.Rest); ; i++ {
		missing := (target - r.truth.total(p, "")) * 1000 / a.output
		if missing < 100 {
			return nil
		}
		code := r.callers.send(ctx, r.world.agents[i%len(r.world.agents)], ask{key: usefulKey, route: "three", tokens: int(min(missing-50, 4000))})
		if code != served && time.Now().After(deadline) {
			return fmt.Errorf("%d of %d nano-dollars are not spent yet, and agents answer %s", target-r.truth.total(p, ""), target, code)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
}

func (r *run) spendLast(ctx context.Context, p *purse, small ask) error {
	u := &r.usefulness
	began := time.Now()
	for last := began; time.Since(last) < stuckAfter; {
		if u.left = u.limit - r.truth.total(p, ""); u.left < u.worst {
			return nil
		}
		code := r.callers.send(ctx, r.world.agents[rand.IntN(len(r.world.agents))], small)
		u.asked++
		switch code {
		case served:
			u.served++
			last = time.Now()
		case "429 budget_exceeded":
			u.refused++
			if u.left >= u.worst*int64(len(r.world.agents)) {
				u.early++
			}
			u.firstAfter = time.Since(began)
		default:
			u.unavailable++
			u.firstAfter = time.Since(began)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
