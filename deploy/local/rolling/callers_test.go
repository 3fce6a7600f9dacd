package rolling_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// callers ask over connections that they keep, and send nothing twice.
type callers struct {
	stop   context.CancelFunc
	wait   sync.WaitGroup
	asked  atomic.Int64
	opened atomic.Int64 // streams that began
	mu     sync.Mutex
	failed []error
}

// call starts them: some ask for whole answers, some for streams.
func call(address, key string, whole, streams int) *callers {
	ctx, stop := context.WithCancel(context.Background())
	c := &callers{stop: stop}
	for i := range whole + streams {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
		c.wait.Go(func() {
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				c.once(client, address, key, i >= whole)
			}
		})
	}
	return c
}

func (c *callers) once(client *http.Client, address, key string, streamed bool) {
	err := c.ask(client, address, key, streamed)
	c.asked.Add(1)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.failed = append(c.failed, err)
	}
}

func (c *callers) ask(client *http.Client, address, key string, streamed bool) error {
	body := fmt.Sprintf(`{"model":"chat","stream":%t,"messages":[{"role":"user","content":"hello"}]}`, streamed)
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.GetBody = nil // else the client sends it again where a connection was closed under it
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	c.opened.Add(1)
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return fmt.Errorf("after %d bytes: %w", len(text), err)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s", response.Status, text)
	case streamed && !strings.HasSuffix(string(text), "data: [DONE]\n\n"):
		return fmt.Errorf("a stream ended with %q", text[max(0, len(text)-200):])
	}
	return nil
}

// end waits for what is under way and returns what failed.
func (c *callers) end() (asked int64, failed []error) {
	c.stop()
	c.wait.Wait()
	return c.asked.Load(), c.failed
}
