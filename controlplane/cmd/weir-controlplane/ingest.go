package main

import (
	"context"
	"os"
	"time"

	"github.com/weirhq/weir/controlplane"
	"github.com/weirhq/weir/proto/contract/brokers"
)

type ingestCommands struct {
	Replay ingestReplay `cmd:"" help:"Send dead letters of usage through ingest again; each record becomes a row once, however often. Without --yes: say what would be done."`
}

type ingestReplay struct {
	KafkaBrokers   []string         `env:"WEIR_KAFKA_BROKERS" required:"" help:"Brokers, host:port."`
	Kafka          brokers.Settings `embed:"" prefix:"kafka-"`
	KafkaTopic     string           `env:"WEIR_KAFKA_TOPIC" default:"weir.usage.v1" help:"Topic of usage."`
	KafkaDeadTopic string           `env:"WEIR_KAFKA_DEAD_TOPIC" default:"weir.usage.v1.dead" help:"Topic of dead letters."`

	Reason       string    `help:"Only these, as weir_ingest_dead_letters_total has it. With agent_revoked and --yes you take the revoked agent's word: whoever has its key may have signed them."`
	Organization string    `help:"Name or id; empty: all."`
	Agent        string    `help:"Id of the agent that signed them; empty: all."`
	After        time.Time `help:"Put aside at or after this time (RFC 3339)."`
	Before       time.Time `help:"Put aside before this time (RFC 3339)."`
	Yes          bool      `help:"Send them."`
}

func (c *ingestReplay) Run(ctx context.Context) error {
	config, err := storeConfig()
	if err != nil {
		return err
	}
	c.Kafka.Password = config.Kafka.Password
	config.KafkaBrokers, config.Kafka, config.KafkaTopic, config.KafkaDeadTopic = c.KafkaBrokers, c.Kafka, c.KafkaTopic, c.KafkaDeadTopic
	return controlplane.ReplayDeadLetters(ctx, config, controlplane.Replaying{
		Reason: c.Reason, Organization: c.Organization, Agent: c.Agent, After: c.After, Before: c.Before, Send: c.Yes,
	}, os.Stdout)
}
