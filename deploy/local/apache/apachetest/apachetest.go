// Package apachetest gives a test an Apache Kafka of its own, to be killed and paused. Tests that need it have the build
// tag apachekafka: `make test-kafka` runs them.
package apachetest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/apache"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
)

// Start starts a cluster in a folder of the test's; it is killed when the test ends. c.Kafka and c.Dir are filled in.
func Start(t testing.TB, c apache.Config) *apache.Cluster {
	t.Helper()
	root, err := file.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	cache, err := fetch.CacheDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if c.Kafka, err = fetch.Kafka(ctx, cache, os.Stderr); err != nil {
		t.Fatal(err)
	}
	c.Dir = t.TempDir()
	cluster, err := apache.Start(ctx, c)
	t.Cleanup(cluster.Kill)
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}
