package budget

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	callerWaits = 60 * time.Second // longer than routes allow
	maxAnswer   = 1 << 20          // bytes
)

// callers are the applications: each has one request at once, at its own agent.
type callers struct {
	config Config
	world  *world
	tenant *tenant
	http   *http.Client

	mu  sync.Mutex
	all tally
}

// tally is what callers saw. codes are "status code"; "gone": there was no answer.
type tally struct {
	asked, served int
	codes         map[string]int
}

func newCallers(c Config, w *world, t *tenant) *callers {
	return &callers{
		config: c, world: w, tenant: t, all: tally{codes: map[string]int{}},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: c.Callers, DisableCompression: true}},
	}
}

// start has them ask until stop, which waits for what is under way.
func (c *callers) start(ctx context.Context) (stop func()) {
	done, end := context.WithCancel(ctx)
	var wait sync.WaitGroup
	for i, a := range c.world.agents {
		for j := range c.config.Callers {
			r := rand.New(rand.NewPCG(c.config.Seed, uint64(i)<<32|uint64(j))) //nolint:gosec // to be repeated
			wait.Go(func() {
				_ = pause(done, rand.N(c.config.Pause+1))
				for done.Err() == nil {
					wait := time.Duration(r.Int64N(int64(2*c.config.Pause) + 1))
					if code := c.ask(ctx, a, drawAsk(r)); code != served {
						wait *= 2
					}
					_ = pause(done, wait)
				}
			})
		}
	}
	return sync.OnceFunc(func() { end(); wait.Wait() })
}

// ask is one request.
type ask struct {
	key      int
	route    string
	streamed bool
	tokens   int           // 0: no cap
	leaves   time.Duration // 0: it stays
}

const served = "200"

func drawAsk(r *rand.Rand) ask {
	a := ask{key: r.IntN(keyCount), route: routes[r.IntN(len(routes))].name, streamed: r.IntN(2) == 0, tokens: 16 + r.IntN(112)}
	switch n := r.IntN(1000); {
	case n < 2:
		a.tokens = 0
	case n < 40:
		a.leaves = time.Duration(r.IntN(4000)) * time.Millisecond
	}
	return a
}

func (a ask) body(begun time.Time) string {
	limit := ""
	if a.tokens > 0 {
		limit = fmt.Sprintf(`"max_tokens":%d,`, a.tokens)
	}
	return fmt.Sprintf(`{"model":%q,"stream":%t,%s"messages":[{"role":"user","content":"count me %s"}]}`, a.route, a.streamed, limit, marker(a.key, begun))
}

// ask returns what came of a request, and counts it.
func (c *callers) ask(ctx context.Context, at *agent, a ask) (code string) {
	code = c.send(ctx, at, a)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all.asked++
	if code == served {
		c.all.served++
	} else {
		c.all.codes[code]++
	}
	return code
}

func (c *callers) send(ctx context.Context, at *agent, a ask) (code string) {
	wait := callerWaits
	if a.leaves > 0 {
		wait = a.leaves
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.url+"/v1/chat/completions", strings.NewReader(a.body(time.Now())))
	if err != nil {
		return "gone"
	}
	request.Header.Set("Authorization", "Bearer "+c.tenant.keys[a.key])
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return "gone"
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case err != nil:
		return "gone"
	case response.StatusCode == http.StatusOK && !bytes.Contains(body, []byte(`"error"`)):
		return served
	}
	for _, code := range []string{"budget_exceeded", "quota_unavailable", "budget_unbounded", "budget_unpriced", "rate_limited"} {
		if bytes.Contains(body, []byte(code)) {
			return fmt.Sprintf("%d %s", response.StatusCode, code)
		}
	}
	return fmt.Sprintf("%d of the provider", response.StatusCode)
}

func (c *callers) count() tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.all
	t.codes = maps.Clone(t.codes)
	return t
}

// tally is one line.
func (c *callers) tally() string {
	t := c.count()
	line := fmt.Sprintf("%d asked, %d served", t.asked, t.served)
	for _, code := range slices.Sorted(maps.Keys(t.codes)) {
		line += fmt.Sprintf(", %d %s", t.codes[code], code)
	}
	return line
}
