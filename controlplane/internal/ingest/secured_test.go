package ingest

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/proto/contract/brokers"
	"github.com/weirhq/weir/proto/contract/brokers/brokerstest"
)

// secured has the world's topics on a broker with TLS, where logins may do what
// docs/deploy.md says and no more. Tests go by another login.
func (w *world) secured() {
	w.t.Helper()
	const (
		one      = kmsg.ACLResourcePatternTypeLiteral
		read     = kmsg.ACLOperationRead
		write    = kmsg.ACLOperationWrite
		describe = kmsg.ACLOperationDescribe
		configs  = kmsg.ACLOperationDescribeConfigs
	)
	may := func(on map[string][]kmsg.ACLOperation) (acls []kfake.ACL) {
		for topic, operations := range on {
			for _, operation := range operations {
				acls = append(acls, brokerstest.Allow(operation, topic, one))
			}
		}
		return acls
	}
	addrs, ca := brokerstest.Secured(w.t,
		kfake.User("SCRAM-SHA-512", "ingest", "right", may(map[string][]kmsg.ACLOperation{
			w.config.Topic: {read, describe, configs}, w.config.DeadTopic: {write, describe, configs}, "of-others": {describe},
		})...),
		kfake.User("SCRAM-SHA-256", "replay", "right", may(map[string][]kmsg.ACLOperation{w.config.Topic: {write, describe}, w.config.DeadTopic: {read, describe}})...))
	secure := brokers.TLS{Enabled: true, CA: ca}
	w.config.Brokers = addrs
	w.config.Access = brokers.Access{TLS: secure, SASL: brokers.SASL{Mechanism: "scram-sha-512", Username: "ingest", Password: "right"}}
	transport, err := brokers.Access{TLS: secure, SASL: brokers.SASL{Mechanism: "plain", Username: "admin", Password: "admin"}}.Transport("test", os.ReadFile)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	w.kafka.Addr, w.kafka.Transport = kafka.TCP(addrs...), transport
	w.create(w.config.Topic, partitions, "delete")
	w.create(w.config.DeadTopic, 1, "delete")
}

// Usage and dead letters pass, and are replayed, over TLS by a login with the least that it
// needs.
func TestIngest_on_brokers_with_logins(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	w.secured()
	a := w.agent()
	w.send(0, w.batch(a, usage(1, 3)...), []byte("nonsense"))
	w.start()
	w.settled(0, 2)
	if diff := cmp.Diff(counts{3, 3}, w.rows(a)); diff != "" {
		t.Error(diff)
	}
	if got := w.deadReasons(); len(got) != 1 {
		t.Errorf("dead letters %v", got)
	}
	w.config.Access.SASL = brokers.SASL{Mechanism: "scram-sha-256", Username: "replay", Password: "right"}
	if tally := w.replay(Wanted{}, true); len(tally) != 1 {
		t.Errorf("replayed %v", tally)
	}
}

// A login that is refused is no outage like others: the log says what to look at, and never
// the password.
func TestIngest_says_that_its_login_is_refused(t *testing.T) {
	w := newWorld(t, chtest.Open(t))
	w.secured()
	w.create("of-others", 1, "delete")
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"wrong_password": {func(c *Config) { c.Access.SASL.Password = "guessed" }, "check WEIR_KAFKA_USERNAME, WEIR_KAFKA_PASSWORD"},
		"no_tls":         {func(c *Config) { c.Access.TLS = brokers.TLS{} }, "WEIR_KAFKA_TLS"},
		"another_topic":  {func(c *Config) { c.Topic = "of-others" }, "where ingest needs Read, Describe and DescribeConfigs"},
	} {
		t.Run(name, func(t *testing.T) {
			config, log := w.config, &written{}
			c.change(&config)
			config.Log = slog.New(slog.NewTextHandler(log, nil))
			ingest := *w
			ingest.t, ingest.config = t, config
			in := ingest.newIngest()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- in.Run(ctx) }()
			ingest.eventually("the log says why", func() bool { return log.count(c.want) > 0 })
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if log.count("guessed") > 0 {
				t.Error("the password is in the log")
			}
		})
	}
}
