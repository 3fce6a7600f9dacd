package proxy

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

const codeUpstreamRateLimited = "upstream_rate_limited"

// restHeaders are the names by which an upstream tells what is left of one of its limits.
type restHeaders struct{ limit, left, reset string }

// Of each limit the first one counts that is there. Sources: as of limitHeaders.
var restsOfRequests, restsOfTokens = []restHeaders{
	{"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
	{"Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset"},
}, []restHeaders{
	{"X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"},
	{"Anthropic-Ratelimit-Tokens-Limit", "Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset"},
	{"Anthropic-Ratelimit-Input-Tokens-Limit", "Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Reset"},
}

// restsIn is what an upstream's answer says is left for the account that it was asked with.
func restsIn(header http.Header, now time.Time) (said [2]*balance.Rest) {
	said[balance.PooledRequests] = restIn(header, restsOfRequests, now)
	said[balance.PooledTokens] = restIn(header, restsOfTokens, now)
	return said
}

func restIn(header http.Header, names []restHeaders, now time.Time) *balance.Rest {
	for _, name := range names {
		values := header[name.left]
		if len(values) == 0 {
			continue
		}
		left, err := strconv.ParseInt(values[0], 10, 64)
		limit, err2 := strconv.ParseInt(header.Get(name.limit), 10, 64)
		resets, ok := resetIn(header.Get(name.reset), now)
		if err != nil || err2 != nil || !ok || limit <= 0 {
			return nil
		}
		return &balance.Rest{Limit: limit, Left: left, Resets: resets}
	}
	return nil
}

// resetIn reads a duration (6m0s), seconds, or a moment.
func resetIn(text string, now time.Time) (in time.Duration, ok bool) {
	if in, err := time.ParseDuration(text); err == nil {
		return in, true
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e9 {
		return time.Duration(seconds * float64(time.Second)), true
	}
	at, err := time.Parse(time.RFC3339, text)
	return at.Sub(now), err == nil
}

// crowded is what the caller is told where an upstream has too little left.
type crowded struct {
	told *dialect.Refusal
	wait time.Duration
}

// spare keeps an attempt from a target whose account has little left of the provider's own
// limits, where the key had its part of that, or others wait for it.
func (e *exchange) spare(target *snapshot.Target) *dialect.Refusal {
	if e.hasTurn() {
		return nil
	}
	pool := e.targets.Of(target).Pool()
	allow, queues := pool.Allow, target.Provider.Queue.Most > 0
	if queues {
		allow = pool.Spare
	}
	wait, ok := allow(e.asker(), e.likelyInput(), e.handler.config.Now())
	if ok {
		return nil
	}
	if queues {
		e.mayQueue(target, wait)
	}
	e.handler.metrics.crowded.Inc()
	e.crowded = &crowded{wait: wait, told: &dialect.Refusal{Status: http.StatusTooManyRequests, Code: codeUpstreamRateLimited,
		Message: fmt.Sprintf("The provider of this route has little left of what it allows this gateway, and this key has had its part of that. Try again in %d s.", seconds(wait))}}
	return e.crowded.told
}

// tellCrowded says in the header when to come again.
func (e *exchange) tellCrowded(refusal *dialect.Refusal) {
	if c := e.crowded; c != nil && c.told == refusal {
		e.w.Header()["Retry-After"] = []string{strconv.FormatInt(seconds(c.wait), 10)}
	}
}

// seconds are whole ones, at least one.
func seconds(d time.Duration) int64 { return max(1, int64((d+time.Second-1)/time.Second)) }

func (e *exchange) asker() balance.Asker {
	return balance.Asker{Project: e.key.ProjectID, Key: e.key.ID, ProjectWeight: e.key.ProjectWeight, KeyWeight: e.key.Weight}
}

// count counts the attempt with the upstream's account.
func (u *upstream) count() {
	e := u.exchange
	u.pool, u.pooled, u.counted = e.targets.Of(u.target).Pool(), e.likelyInput(), e.handler.config.Now()
	if !e.takesTurn() {
		u.pool.Sent(e.asker(), u.pooled)
	}
}

// answered has the account know what the answer says is left; nil: there is none. Further calls
// do nothing.
func (u *upstream) answered(response *http.Response) {
	if u.pool == nil {
		return
	}
	now := u.exchange.handler.config.Now()
	var said [2]*balance.Rest
	if response != nil {
		said = restsIn(response.Header, now)
	}
	u.pool.Answered(u.pooled, said, u.counted, now)
	u.pool = nil
}
