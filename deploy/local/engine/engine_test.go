package engine

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/fetch"
)

func TestMain(m *testing.M) {
	if code, ok := Child(os.Args[1:]); ok {
		os.Exit(code)
	}
	if dir := os.Getenv(parentVariable); dir != "" {
		os.Exit(beParent(dir))
	}
	os.Exit(m.Run())
}

func fetched(t *testing.T) fetch.Installation {
	t.Helper()
	cache, err := fetch.CacheDir("../../..")
	if err != nil {
		t.Fatal(err)
	}
	engines, err := fetch.Engines(t.Context(), cache, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	return engines
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	ports, err := FreePorts(n)
	if err != nil {
		t.Fatal(err)
	}
	return ports
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}
