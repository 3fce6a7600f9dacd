package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
)

// topic is the usage topic as the broker describes it.
type topic struct {
	id         uuid.UUID
	partitions int
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
	for _, t := range metadata.Topics {
		if errors.Is(t.Error, kafka.UnknownTopicOrPartition) {
			return topic{}, settingError{fmt.Sprintf("%s does not exist: create it with cleanup.policy=delete and as many replicas as the cluster allows", t.Name)}
		}
		if t.Error != nil {
			return topic{}, fmt.Errorf("metadata of %s: %w", t.Name, t.Error)
		}
		if t.Name == b.topic {
			found.partitions = len(t.Partitions)
		}
	}
	if err := b.checkCleanup(ctx); err != nil {
		return topic{}, err
	}
	found.id, err = b.topicID(ctx)
	return found, err
}

func (b *broker) checkCleanup(ctx context.Context) error {
	request := &kafka.DescribeConfigsRequest{}
	for _, name := range []string{b.topic, b.deadTopic} {
		request.Resources = append(request.Resources, kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: name, ConfigNames: []string{"cleanup.policy"},
		})
	}
	response, err := b.client.DescribeConfigs(ctx, request)
	if err != nil {
		return fmt.Errorf("topic settings: %w", err)
	}
	for _, resource := range response.Resources {
		if resource.Error != nil {
			return fmt.Errorf("settings of %s (ingest needs DescribeConfigs): %w", resource.ResourceName, resource.Error)
		}
		for _, entry := range resource.ConfigEntries {
			if entry.ConfigName == "cleanup.policy" && slices.Contains(strings.Split(entry.ConfigValue, ","), "compact") {
				return settingError{fmt.Sprintf("%s has cleanup.policy=%s, which deletes records: set it to delete", resource.ResourceName, entry.ConfigValue)}
			}
		}
	}
	return nil
}
