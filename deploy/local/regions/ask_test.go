package regions_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

var httpClient = &http.Client{Timeout: 30 * time.Second}

// ask returns who answered, or the error's status and text.
func (w *world) ask(a *agent, model string) (target string, err error) {
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, a.URL+"/v1/chat/completions",
		strings.NewReader(`{"model":"`+model+`","messages":[{"role":"user","content":"hello"}]}`))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+w.key)
	response, err := httpClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s%w", response.Status, text, err)
	}
	a.answered++
	return response.Header.Get("X-Weir-Target"), nil
}

// serves says why the agent does not serve a model by a region.
func (w *world) serves(a *agent, model string, by *region) error {
	target, err := w.ask(a, model)
	if want := "mock-" + by.name + "/gpt-4o"; err == nil && target != want {
		err = fmt.Errorf("%s is served by %s, want %s", model, target, want)
	}
	return err
}

// refuses says why the agent does not refuse a model with a reason.
func (w *world) refuses(a *agent, model, reason string) error {
	target, err := w.ask(a, model)
	switch {
	case err == nil:
		return fmt.Errorf("%s is served by %s", model, target)
	case !strings.HasPrefix(err.Error(), "403") || !strings.Contains(err.Error(), `"route_not_served"`) || !strings.Contains(err.Error(), reason):
		return fmt.Errorf("want 403 route_not_served and %q: %w", reason, err)
	}
	return nil
}

func (w *world) within(limit time.Duration, what string, is func() error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	for {
		err := is()
		if err == nil {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			w.t.Fatalf("not within %s: %s: %v", limit, what, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
