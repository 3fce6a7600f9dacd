package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	callerCount = 24
	callerWaits = 25 * time.Second // for an answer; longer than routes allow
	maxAnswer   = 1 << 20          // bytes
)

// callers are the applications. They keep a ledger of what they sent and saw.
type callers struct {
	world   *world
	tenants []*tenant
	seed    uint64
	pace    time.Duration // between two requests of one caller, on average
	http    *http.Client

	mu  sync.Mutex
	all []*ask
}

func newCallers(c Config, w *world, tenants []*tenant) *callers {
	return &callers{
		world: w, tenants: tenants, seed: c.Seed, pace: time.Duration(float64(callerCount) / c.Rate * float64(time.Second)),
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callerCount, DisableCompression: true}},
	}
}

// start has them ask until stop, which waits for what is under way.
func (c *callers) start(ctx context.Context) (stop func()) {
	done, end := context.WithCancel(ctx)
	var wait sync.WaitGroup
	for i := range callerCount {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(c.seed, uint64(i)+1)) //nolint:gosec // to be repeated
			for done.Err() == nil {
				c.once(ctx, r)
				_ = pause(done, time.Duration(r.Int64N(int64(2*c.pace))))
			}
		})
	}
	return sync.OnceFunc(func() { end(); wait.Wait() })
}

func (c *callers) once(ctx context.Context, r *rand.Rand) {
	t := c.tenants[r.IntN(len(c.tenants))]
	a := draw(r, t)
	door := t.agents[r.IntN(len(t.agents))]
	a.agent = door.name
	c.world.provider.plan(a.marker, a.faults)
	c.send(ctx, a, door.url)
	c.mu.Lock()
	c.all = append(c.all, a)
	c.mu.Unlock()
}

// asks are all that have ended.
func (c *callers) asks() []*ask {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[:len(c.all):len(c.all)]
}

func (c *callers) send(ctx context.Context, a *ask, url string) {
	wait := callerWaits
	if a.leaves > 0 {
		wait = a.leaves
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	a.begun = time.Now()
	defer func() { a.ended = time.Now() }()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+a.shape.path(a), strings.NewReader(a.shape.body(a)))
	if err != nil {
		return
	}
	key := a.tenant.key
	if a.badKey {
		key = key[:len(key)-12] + "000000" + key[len(key)-6:]
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Weir-Run", a.marker)
	response, err := c.http.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	a.read(response)
}

// unrecorded are the codes of answers that may have no record.
var unrecorded = []string{"key_unknown", "spool_full", "spool_unavailable", "no_policy", "policy_refused"}

func (a *ask) read(response *http.Response) {
	a.status, a.id = response.StatusCode, response.Header.Get("X-Weir-Request-Id")
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	a.cost = response.Header.Get("X-Weir-Cost")
	if a.cost == "" {
		a.cost = response.Trailer.Get("X-Weir-Cost")
	}
	if err == nil && response.StatusCode == http.StatusOK {
		a.whole = a.ends(body)
		return
	}
	for _, code := range unrecorded {
		if bytes.Contains(body, []byte(code)) {
			a.code = code
		}
	}
}

// ends tells whether an answer came to its end.
func (a *ask) ends(body []byte) bool {
	if a.streamed {
		ended := slices.ContainsFunc(a.shape.ends, func(end string) bool { return bytes.Contains(body, []byte(end)) })
		return ended && !bytes.Contains(body, []byte(`"error":{`)) && !bytes.Contains(body, []byte("event: error"))
	}
	var object struct{ Error json.RawMessage }
	err := json.Unmarshal(body, &object)
	return err == nil && (len(object.Error) == 0 || string(object.Error) == "null")
}

// tally is one line.
func (c *callers) tally() string {
	var answered, whole, none int
	all := c.asks()
	for _, a := range all {
		switch {
		case a.whole:
			whole++
		case a.status > 0:
			answered++
		default:
			none++
		}
	}
	return fmt.Sprintf("%d requests: %d answered well, %d otherwise, %d not at all", len(all), whole, answered, none)
}
