package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
)

// topic is the usage topic as the broker describes it, with what is wrong with it and with
// the dead-letter topic.
type topic struct {
	id         uuid.UUID
	partitions int
	findings   []finding
}

// settingError is about how a topic was made; waiting does not help.
type settingError struct{ text string }

func (e settingError) Error() string { return e.text }

func isSetting(err error) bool {
	var s settingError
	return errors.As(err, &s)
}

// check finds both topics, looks at their settings and returns the usage topic.
func (b *broker) check(ctx context.Context) (topic, error) {
	metadata, err := b.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{b.topic, b.deadTopic}})
	if err != nil {
		return topic{}, fmt.Errorf("metadata: %w", err)
	}
	var found topic
	topics := map[string]*described{}
	for _, t := range metadata.Topics {
		if errors.Is(t.Error, kafka.UnknownTopicOrPartition) {
			return topic{}, settingError{fmt.Sprintf("topic %s does not exist: make it with kafka-topics.sh --bootstrap-server %s --create --topic %s "+
				"--partitions %s --replication-factor %d --config cleanup.policy=delete --config min.insync.replicas=%d",
				t.Name, b.client.Addr, t.Name, map[bool]string{true: "1", false: "12"}[t.Name == b.deadTopic], min(3, len(metadata.Brokers)), min(2, len(metadata.Brokers)))}
		}
		if t.Error != nil {
			return topic{}, fmt.Errorf("metadata of %s, %s: %w", t.Name, b.operations(t.Name), t.Error)
		}
		if t.Name == b.topic {
			found.partitions = len(t.Partitions)
		}
		topics[t.Name] = &described{name: t.Name, dead: t.Name == b.deadTopic, brokers: len(metadata.Brokers), replicas: fewestReplicas(t.Partitions), at: b.client.Addr.String()}
	}
	if err := b.describe(ctx, topics); err != nil {
		return topic{}, err
	}
	for _, name := range []string{b.topic, b.deadTopic} {
		found.findings = append(found.findings, topics[name].findings()...)
	}
	for _, f := range found.findings {
		if f.fatal {
			return topic{}, settingError{f.String()}
		}
	}
	found.id, err = b.topicID(ctx)
	return found, err
}

// operations are what ACLs have to allow ingest's login on a topic.
func (b *broker) operations(name string) string {
	if name == b.deadTopic {
		return "where ingest needs Write, Describe and DescribeConfigs"
	}
	return "where ingest needs Read, Describe and DescribeConfigs"
}

func fewestReplicas(partitions []kafka.Partition) int {
	fewest := 0
	for i, p := range partitions {
		if n := len(p.Replicas); i == 0 || n < fewest {
			fewest = n
		}
	}
	return fewest
}

// describe asks for the settings that matter.
func (b *broker) describe(ctx context.Context, topics map[string]*described) error {
	request := &kafka.DescribeConfigsRequest{}
	for name := range topics {
		request.Resources = append(request.Resources, kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: name,
			ConfigNames: []string{settingCleanup, settingInSync, settingRetention, settingRetentionBytes, settingMessageBytes, settingUnclean},
		})
	}
	response, err := b.client.DescribeConfigs(ctx, request)
	if err != nil {
		return fmt.Errorf("topic settings: %w", err)
	}
	for _, resource := range response.Resources {
		if resource.Error != nil {
			return fmt.Errorf("settings of %s, %s: %w", resource.ResourceName, b.operations(resource.ResourceName), resource.Error)
		}
		t := topics[resource.ResourceName]
		t.settings = map[string]string{}
		for _, entry := range resource.ConfigEntries {
			t.settings[entry.ConfigName] = entry.ConfigValue
		}
	}
	return nil
}
