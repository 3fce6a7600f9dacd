package apache

import (
	"cmp"
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/deploy/local/engine"
)

const scramIterations = 4096 // the least that Kafka takes

// Client is a superuser's. The caller closes its connections with the returned function.
func (c *Cluster) Client() (client *kafka.Client, closeIdle func()) {
	transport := &kafka.Transport{MetadataTTL: time.Second}
	return &kafka.Client{Addr: kafka.TCP(strings.Split(c.Open, ",")...), Transport: transport, Timeout: 30 * time.Second}, transport.CloseIdleConnections
}

var scram = map[kafka.ScramMechanism]func() hash.Hash{kafka.ScramMechanismSha256: sha256.New, kafka.ScramMechanismSha512: sha512.New}

// addUsers gives users passwords for SCRAM; those of PLAIN are in the brokers' configuration.
func (c *Cluster) addUsers(ctx context.Context, users map[string]string) error {
	client, closeIdle := c.Client()
	defer closeIdle()
	for name, password := range users {
		for mechanism, of := range scram {
			if err := addUser(ctx, client, name, password, mechanism, of); err != nil {
				return fmt.Errorf("add kafka user %s: %w", name, err)
			}
		}
	}
	return nil
}

func addUser(ctx context.Context, client *kafka.Client, name, password string, mechanism kafka.ScramMechanism, of func() hash.Hash) error {
	salt := []byte(rand.Text())
	salted, err := pbkdf2.Key(of, password, salt, scramIterations, of().Size())
	if err != nil {
		return err
	}
	response, err := client.AlterUserScramCredentials(ctx, &kafka.AlterUserScramCredentialsRequest{Upsertions: []kafka.UserScramCredentialsUpsertion{
		{Name: name, Mechanism: mechanism, Iterations: scramIterations, Salt: salt, SaltedPassword: salted},
	}})
	if err != nil {
		return err
	}
	for _, r := range response.Results {
		err = errors.Join(err, r.Error)
	}
	return err
}

// Allow lets a user do operations on one topic.
func (c *Cluster) Allow(ctx context.Context, user, topic string, operations ...kafka.ACLOperationType) error {
	request := &kafka.CreateACLsRequest{}
	for _, operation := range operations {
		request.ACLs = append(request.ACLs, kafka.ACLEntry{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ResourcePatternType: kafka.PatternTypeLiteral,
			Principal: "User:" + user, Host: "*", Operation: operation, PermissionType: kafka.ACLPermissionTypeAllow,
		})
	}
	client, closeIdle := c.Client()
	defer closeIdle()
	response, err := client.CreateACLs(ctx, request)
	if err != nil {
		return fmt.Errorf("allow %s: %w", user, err)
	}
	return errors.Join(response.Errors...)
}

// has is nil when the node knows a leader of every partition of a topic, which is made where it is missing.
func (n *Node) has(ctx context.Context, t engine.Topic, replicas int) error {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(loopback(n.ports[open])), Transport: transport}
	metadata, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{t.Name}})
	if err != nil {
		return err
	}
	found := metadata.Topics[0]
	if errors.Is(found.Error, kafka.UnknownTopicOrPartition) {
		made, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
			{Topic: t.Name, NumPartitions: t.Partitions, ReplicationFactor: replicas},
		}})
		if err == nil {
			err = made.Errors[t.Name]
		}
		return cmp.Or(err, fmt.Errorf("topic %s is being made", t.Name))
	}
	led := 0
	for _, p := range found.Partitions {
		if p.Leader.Port != 0 {
			led++
		}
	}
	if found.Error != nil || led < t.Partitions {
		return fmt.Errorf("topic %s has %d of %d leaders: %w", t.Name, led, t.Partitions, cmp.Or(found.Error, error(kafka.LeaderNotAvailable)))
	}
	return nil
}
