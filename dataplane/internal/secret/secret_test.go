package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestValueNeverPrints(t *testing.T) {
	value := NewValue("canary")
	inside := struct{ Credential Value }{value}
	text, err := json.Marshal(inside)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value, "inside", inside)
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %#v", value, value, value, value, value, value, inside, inside, &inside) + string(text) + log.String()
	if strings.Contains(printed, "canary") || strings.Contains(printed, fmt.Sprintf("%x", "canary")) {
		t.Errorf("printed %s", printed)
	}
	if value.Reveal() != "canary" {
		t.Error("the value is lost")
	}
}

type clock struct{ now time.Time }

func (c *clock) pass() { c.now = c.now.Add(2 * recheck) }

func testResolver(variables map[string]string) (*Resolver, *clock) {
	c := &clock{now: time.Unix(1, 0)}
	lookup := func(name string) (string, bool) { text, ok := variables[name]; return text, ok }
	return &Resolver{lookup: lookup, now: func() time.Time { return c.now }}, c
}

func wantValue(t *testing.T, r *Resolver, reference, want string) {
	t.Helper()
	value, err := r.Resolve(reference)
	if err != nil || value.Reveal() != want {
		t.Errorf("%s: %q, %v; want %q", reference, value.Reveal(), err, want)
	}
}

func TestFileIsReadAgainWhenItChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, c := testResolver(nil)
	if _, err := r.Resolve("file://" + path); !errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	write("one\n")
	c.pass()
	wantValue(t, r, "file://"+path, "one")
	write("second")
	wantValue(t, r, "file://"+path, "one")
	c.pass()
	wantValue(t, r, "file://"+path, "second")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	c.pass()
	wantValue(t, r, "file://"+path, "second")
	write("third!")
	c.pass()
	wantValue(t, r, "file://"+path, "third!")
	write("  ")
	c.pass()
	wantValue(t, r, "file://"+path, "third!")
}

func TestVariables(t *testing.T) {
	variables := map[string]string{"A": "a", "EMPTY": " ", "LINES": "a\nb"}
	r, c := testResolver(variables)
	wantValue(t, r, "env://A", "a")
	delete(variables, "A")
	c.pass()
	wantValue(t, r, "env://A", "a")
	for _, reference := range []string{"env://B", "env://EMPTY", "env://LINES", "vault://x", "file://relative", "file:///", ""} {
		if _, err := r.Resolve(reference); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", reference, err)
		}
	}
}
