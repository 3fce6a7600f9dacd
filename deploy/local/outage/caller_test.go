package outage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weirhq/weir/deploy/local/stack"
)

var httpClient = &http.Client{Timeout: 30 * time.Second}

// answered is one good answer.
type answered struct{ target string }

// ask sends one request; any answer but 200 with a body is an error.
func ask(ctx context.Context, agent *stack.Agent, key string) (answered, error) {
	body := strings.NewReader(`{"model":"chat","messages":[{"role":"user","content":"hello"}]}`)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, agent.URL+"/v1/chat/completions", body)
	if err != nil {
		return answered{}, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	response, err := httpClient.Do(request)
	if err != nil {
		return answered{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return answered{target: response.Header.Get("X-Weir-Target")}, err
}

// callers ask without a pause, through what a load balancer does: agents that are not
// ready get nothing new, and where nobody listens the other one is asked.
type callers struct {
	fleet  *fleet
	stop   context.CancelFunc
	wait   sync.WaitGroup
	asked  atomic.Int64
	ready  [2]atomic.Bool
	mu     sync.Mutex
	failed []error
}

func (f *fleet) call() *callers {
	ctx, stop := context.WithCancel(f.t.Context())
	c := &callers{fleet: f, stop: stop}
	for i := range c.ready {
		c.ready[i].Store(true)
	}
	c.wait.Go(func() { c.probe(ctx) })
	for i := range 4 {
		c.wait.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				c.once(n % 2)
			}
		})
	}
	return c
}

func (c *callers) probe(ctx context.Context) {
	for ctx.Err() == nil {
		for i, agent := range c.fleet.agents {
			response, err := httpClient.Get(agent.AdminURL + "/readyz")
			if err == nil {
				_ = response.Body.Close()
			}
			c.ready[i].Store(err == nil && response.StatusCode == http.StatusOK)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (c *callers) once(first int) {
	if !c.ready[first].Load() {
		first = 1 - first
	}
	_, err := ask(context.Background(), c.fleet.agents[first], c.fleet.key)
	if errors.Is(err, syscall.ECONNREFUSED) {
		_, err = ask(context.Background(), c.fleet.agents[1-first], c.fleet.key)
	}
	c.asked.Add(1)
	if err != nil {
		c.mu.Lock()
		c.failed = append(c.failed, err)
		c.mu.Unlock()
	}
}

// end waits for what is under way and returns what failed.
func (c *callers) end() (asked int64, failed []error) {
	c.stop()
	c.wait.Wait()
	return c.asked.Load(), c.failed
}
