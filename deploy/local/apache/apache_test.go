//go:build apachekafka

package apache_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/deploy/local/apache"
	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
)

func start(t *testing.T, nodes int) *apache.Cluster {
	t.Helper()
	cache, err := fetch.CacheDir("../../..")
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	jars, err := fetch.Kafka(ctx, cache, os.Stderr)
	must(t, err)
	c, err := apache.Start(ctx, apache.Config{
		Kafka: jars, Dir: t.TempDir(), Nodes: nodes, Topics: []engine.Topic{{Name: "usage", Partitions: 3}}, Users: map[string]string{"agent": "right"},
	})
	t.Cleanup(c.Kill)
	must(t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOne(t *testing.T) {
	began := time.Now()
	c := start(t, 1)
	t.Log(time.Since(began))
	client, done := c.Client()
	defer done()
	r, err := client.Produce(t.Context(), &kafka.ProduceRequest{Topic: "usage", RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte("x"))})})
	must(t, err)
	must(t, r.Error)
}
func TestThree(t *testing.T) {
	began := time.Now()
	c := start(t, 3)
	t.Log(time.Since(began))
	client, done := c.Client()
	defer done()
	r, err := client.Produce(t.Context(), &kafka.ProduceRequest{Topic: "usage", RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte("x"))})})
	must(t, err)
	must(t, r.Error)
}
