package chaos

import (
	"context"
	"fmt"
	"os"

	"github.com/weirhq/weir/deploy/local/apache"
	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
)

// broker makes the log that usage goes through ready to be started, any number of times,
// on 127.0.0.1 at a port. It answers its probe once it has the topics. It may name whatever
// address of itself: links put their own in its place.
type broker func(ctx context.Context, c brokerConfig) (engine.Kafka, error)

type brokerConfig struct {
	// Cache has what was fetched for engines.
	Cache   string
	Engines fetch.Installation
	// Dir survives restarts, and may be a small disk of its own.
	Dir    string
	Port   int
	Topics []engine.Topic
}

// brokers by what --kafka calls them.
var brokers = map[string]broker{
	"embedded": func(_ context.Context, c brokerConfig) (engine.Kafka, error) {
		return engine.PrepareKafka(engine.KafkaConfig{Dir: c.Dir, Port: c.Port, Topics: c.Topics})
	},
	"apache": apacheBroker,
}

// apacheBroker is the real one, fetched if need be.
func apacheBroker(ctx context.Context, c brokerConfig) (engine.Kafka, error) {
	jars, err := fetch.Kafka(ctx, c.Cache, os.Stderr)
	if err != nil {
		return engine.Kafka{}, err
	}
	one, err := apache.Prepare(apache.Config{Kafka: jars, Dir: c.Dir, Nodes: 1, Port: c.Port, Topics: c.Topics})
	if err != nil {
		return engine.Kafka{}, err
	}
	return engine.Kafka{Program: one.Nodes[0].Program, Brokers: one.Open}, nil
}

func brokerOf(name string) (broker, error) {
	if b, ok := brokers[name]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("--kafka %s: this build can't start it", name)
}
