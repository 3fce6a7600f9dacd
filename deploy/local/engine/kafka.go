package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/deploy/local/process"
)

// Topic is one that exists as soon as the broker answers.
type Topic struct {
	Name       string
	Partitions int
}

// KafkaConfig describes one broker.
type KafkaConfig struct {
	Binary string // a binary that passes its arguments to Child; "" is the running one
	Dir    string // made when missing; survives restarts
	Port   int    // on 127.0.0.1
	Topics []Topic
}

// Kafka is a broker that can be started.
type Kafka struct {
	Program process.Program
	Brokers string // host:port
}

// PrepareKafka makes the folder and says how to start the broker.
func PrepareKafka(c KafkaConfig) (Kafka, error) {
	binary, err := orSelf(c.Binary)
	if err != nil {
		return Kafka{}, err
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return Kafka{}, fmt.Errorf("kafka folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Kafka{}, fmt.Errorf("kafka folder: %w", err)
	}
	brokers := net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port))
	args := []string{kafkaCommand, "--dir", dir, "--port", strconv.Itoa(c.Port)}
	for _, t := range c.Topics {
		args = append(args, fmt.Sprintf("%s:%d", t.Name, t.Partitions))
	}
	return Kafka{Brokers: brokers, Program: process.Program{
		Name: "kafka", Path: binary, Args: args, Dir: dir, Grace: 10 * time.Second,
		Probe: func(ctx context.Context) error { return pingKafka(ctx, brokers, c.Topics) },
	}}, nil
}

// StartKafka prepares a broker, starts it and waits until it answers.
func StartKafka(ctx context.Context, c KafkaConfig) (Running, Kafka, error) {
	k, err := PrepareKafka(c)
	if err != nil {
		return Running{}, Kafka{}, err
	}
	running, err := start(ctx, k.Program, c.Dir)
	return running, k, err
}

// PingKafka reaches one of a comma-separated list of brokers.
func PingKafka(ctx context.Context, brokers string) error {
	var faults []error
	for broker := range strings.SplitSeq(brokers, ",") {
		err := pingKafka(ctx, strings.TrimSpace(broker), nil)
		if err == nil {
			return nil
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

func pingKafka(ctx context.Context, broker string, topics []Topic) error {
	conn, err := kafka.DialContext(ctx, "tcp", broker)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if len(topics) == 0 {
		_, err := conn.Brokers()
		return err
	}
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.Name
	}
	partitions, err := conn.ReadPartitions(names...)
	if err == nil && len(partitions) == 0 {
		err = errors.New("topics are not there yet")
	}
	return err
}

func orSelf(binary string) (string, error) {
	if binary != "" {
		return binary, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find own binary: %w", err)
	}
	return self, nil
}
