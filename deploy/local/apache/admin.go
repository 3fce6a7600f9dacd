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

// addTopics waits until every broker knows them.
func (c *Cluster) addTopics(ctx context.Context, topics []engine.Topic) error {
	request := &kafka.CreateTopicsRequest{}
	for _, t := range topics {
		request.Topics = append(request.Topics, kafka.TopicConfig{Topic: t.Name, NumPartitions: t.Partitions, ReplicationFactor: len(c.Nodes)})
	}
	if len(topics) == 0 {
		return nil
	}
	client, closeIdle := c.Client()
	defer closeIdle()
	response, err := client.CreateTopics(ctx, request)
	if err != nil {
		return fmt.Errorf("create kafka topics: %w", err)
	}
	for _, t := range topics {
		if err := response.Errors[t.Name]; err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("create kafka topic %s: %w", t.Name, err)
		}
	}
	return c.await(ctx, topics)
}

func (c *Cluster) await(ctx context.Context, topics []engine.Topic) error {
	for {
		missing := error(nil)
		for _, n := range c.Nodes {
			for _, t := range topics {
				missing = cmp.Or(missing, n.knows(ctx, t))
			}
		}
		if missing == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return missing
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// knows is nil when the node sees a leader of every partition.
func (n *Node) knows(ctx context.Context, t engine.Topic) error {
	conn, err := kafka.DialContext(ctx, "tcp", loopback(n.ports[open]))
	if err != nil {
		return err
	}
	defer conn.Close()
	partitions, err := conn.ReadPartitions(t.Name)
	if err != nil {
		return err
	}
	led := 0
	for _, p := range partitions {
		if p.Leader.Port != 0 {
			led++
		}
	}
	if led < t.Partitions {
		return fmt.Errorf("%s has %d of %d partitions", t.Name, led, t.Partitions)
	}
	return nil
}
