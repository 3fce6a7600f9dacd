package apache

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// writeProperties writes the node's configuration: https://kafka.apache.org/documentation/#brokerconfigs.
func (n *Node) writeProperties(c Config, controllerPort int) error {
	all := n.properties(c, controllerPort)
	maps.Copy(all, c.Settings)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&text, "%s=%s\n", name, all[name])
	}
	if err := os.WriteFile(n.path("server.properties"), []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("write kafka's configuration: %w", err)
	}
	return nil
}

func (n *Node) properties(c Config, controllerPort int) map[string]string {
	at := func(name string, which int) string { return name + "://" + loopback(n.ports[which]) }
	brokers := strings.Join([]string{at("OPEN", open), at("SASL", sasl), at("SASLTLS", saslTLS), at("TLS", mutualTLS)}, ",")
	own, roles := brokers, "broker"
	if n.id == 1 {
		own, roles = brokers+","+at("CONTROLLER", controller), "broker,controller"
	}
	replicas := fmt.Sprint(c.Nodes)
	return map[string]string{
		"process.roles": roles, "node.id": fmt.Sprint(n.id), "log.dirs": n.path("data"),
		"controller.quorum.voters":  "1@" + loopback(controllerPort),
		"controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "OPEN",
		"listeners": own, "advertised.listeners": brokers,
		"listener.security.protocol.map": "OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,SASLTLS:SASL_SSL,TLS:SSL",

		"authorizer.class.name":                                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                                          "User:ANONYMOUS",
		"sasl.enabled.mechanisms":                              "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		"listener.name.sasl.plain.sasl.jaas.config":            plainUsers(c.Users),
		"listener.name.sasltls.plain.sasl.jaas.config":         plainUsers(c.Users),
		"listener.name.sasl.scram-sha-256.sasl.jaas.config":    scramModule,
		"listener.name.sasl.scram-sha-512.sasl.jaas.config":    scramModule,
		"listener.name.sasltls.scram-sha-256.sasl.jaas.config": scramModule,
		"listener.name.sasltls.scram-sha-512.sasl.jaas.config": scramModule,
		"ssl.keystore.type":                                    "PEM",
		"ssl.keystore.location":                                n.path("server.pem"),
		"ssl.truststore.type":                                  "PEM",
		"ssl.truststore.location":                              c.Dir + "/ca.pem",
		"listener.name.tls.ssl.client.auth":                    "required",
		"listener.name.tls.ssl.principal.mapping.rules":        "RULE:^CN=([^,]+).*$/$1/",

		"default.replication.factor": replicas, "offsets.topic.replication.factor": replicas, "min.insync.replicas": fmt.Sprint(max(1, c.Nodes-1)),
		"offsets.topic.num.partitions": "1", "num.network.threads": "2", "num.io.threads": "2", "background.threads": "2",
		"log.cleaner.dedupe.buffer.size": fmt.Sprint(4 << 20), "log.retention.check.interval.ms": "1000", "log.segment.delete.delay.ms": "100",
		"broker.session.timeout.ms": "6000", "broker.heartbeat.interval.ms": "500", "replica.lag.time.max.ms": "5000",
	}
}

const scramModule = "org.apache.kafka.common.security.scram.ScramLoginModule required;"

// plainUsers are the users of PLAIN, which the broker's configuration holds; those of SCRAM the cluster holds.
func plainUsers(users map[string]string) string {
	text := "org.apache.kafka.common.security.plain.PlainLoginModule required"
	for _, name := range slices.Sorted(maps.Keys(users)) {
		text += fmt.Sprintf(" user_%s=%q", name, users[name])
	}
	return text + ";"
}
