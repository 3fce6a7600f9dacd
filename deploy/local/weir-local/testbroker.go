package main

import (
	"context"
	"fmt"
	"os"

	"github.com/weirhq/weir/deploy/local/apache"
	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
)

// testBroker is the one that tests find in WEIR_TEST_KAFKA_BROKERS.
type testBroker struct {
	name, address string
	stop          func()
}

// startTestBroker starts the embedded broker, or the one that WEIR_TEST_KAFKA names. What it returns can be stopped,
// after an error too.
func startTestBroker(ctx context.Context, dir string) (testBroker, error) {
	switch which := os.Getenv("WEIR_TEST_KAFKA"); which {
	case "", "embedded":
		return startEmbeddedBroker(ctx, dir)
	case "apache":
		return startApacheBroker(ctx, dir)
	default:
		return testBroker{stop: func() {}}, fmt.Errorf("WEIR_TEST_KAFKA is %q: want embedded or apache", which)
	}
}

func startEmbeddedBroker(ctx context.Context, dir string) (testBroker, error) {
	ports, err := engine.FreePorts(1)
	if err != nil {
		return testBroker{stop: func() {}}, err
	}
	running, kafka, err := engine.StartKafka(ctx, engine.KafkaConfig{Dir: dir, Port: ports[0], Topics: usageTopics})
	if err != nil {
		return testBroker{stop: func() {}}, err
	}
	return testBroker{"embedded Kafka", kafka.Brokers, running.Kill}, nil
}

func startApacheBroker(ctx context.Context, dir string) (testBroker, error) {
	out := testBroker{name: "Apache Kafka", stop: func() {}}
	root, err := file.RepositoryRoot()
	if err != nil {
		return out, err
	}
	cache, err := fetch.CacheDir(root)
	if err != nil {
		return out, err
	}
	jars, err := fetch.Kafka(ctx, cache, os.Stderr)
	if err != nil {
		return out, err
	}
	cluster, err := apache.Start(ctx, apache.Config{Kafka: jars, Dir: dir, Nodes: 1, Topics: usageTopics})
	out.address, out.stop = cluster.Open, cluster.Kill
	return out, err
}
