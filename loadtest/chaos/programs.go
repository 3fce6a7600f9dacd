package chaos

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/process"
)

const (
	usageTopic = "weir.usage.v1"
	deadTopic  = "weir.usage.v1.dead"
)

func (w *world) node(name string, program process.Program, on *disk, ours bool) *node {
	program.Name = name
	n := &node{name: name, program: program, log: w.path(name + ".log"), ours: ours, disk: on}
	w.nodes = append(w.nodes, n)
	return n
}

// planes starts one process for the API and the agents, and two that ingest.
func (w *world) planes(ctx context.Context) (err error) {
	ports, err := engine.FreePorts(3)
	if err != nil {
		return err
	}
	if w.controlURL, err = w.link(ctx, "agents to control plane", "http://"+loopback(ports[0])); err != nil {
		return err
	}
	if w.control, err = w.plane(ctx, "controlplane", "api,fleet", ports[0]); err != nil {
		return err
	}
	for i, port := range ports[1:] {
		n, err := w.plane(ctx, fmt.Sprintf("ingest-%d", i+1), "ingest", port)
		if err != nil {
			return err
		}
		w.ingests = append(w.ingests, n)
	}
	if err := w.startAll(ctx, append([]*node{w.control}, w.ingests...)...); err != nil {
		return err
	}
	return w.hasViews(ctx)
}

// hasViews returns once usage can be asked for: the programs serve before the tables are made.
func (w *world) hasViews(ctx context.Context) error {
	reads, err := newAnalyst(w.reportURL)
	if err != nil {
		return err
	}
	defer reads.conn.Close()
	ctx, cancel := context.WithTimeout(ctx, startsIn)
	defer cancel()
	for {
		_, err := reads.read(ctx, []*tenant{{id: uuid.Nil.String()}})
		if err == nil {
			return nil
		}
		if pause(ctx, 200*time.Millisecond) != nil {
			return fmt.Errorf("the views in ClickHouse: %w", err)
		}
	}
}

// plane is a process of the control plane, with links of its own.
func (w *world) plane(ctx context.Context, name, roles string, port int) (*node, error) {
	postgres, err := w.link(ctx, name+" to postgres", w.postgresURL)
	if err != nil {
		return nil, err
	}
	clickhouse, err := w.link(ctx, name+" to clickhouse", w.clickhouseURL)
	if err != nil {
		return nil, err
	}
	report, err := w.link(ctx, name+" to clickhouse's reports", w.reportURL)
	if err != nil {
		return nil, err
	}
	kafka, err := w.kafkaLink(ctx, name+" to kafka")
	if err != nil {
		return nil, err
	}
	return w.node(name, process.Program{
		Path: filepath.Join(w.bin, "weir-controlplane"), Args: []string{"serve", "--roles", roles}, Env: []string{
			"WEIR_LISTEN=" + loopback(port), "WEIR_URL=" + w.controlURL, "WEIR_POSTGRES_URL=" + postgres, "WEIR_POSTGRES_SUPERUSER=true",
			"WEIR_CLICKHOUSE_URL=" + clickhouse, "WEIR_CLICKHOUSE_REPORT_URL=" + report, "WEIR_KAFKA_BROKERS=" + kafka,
			"WEIR_KAFKA_TOPIC=" + usageTopic, "WEIR_KAFKA_DEAD_TOPIC=" + deadTopic,
			"WEIR_HOUSE_KEY_FILE=" + w.path("house.key"), "WEIR_OPERATOR_TOKEN=" + w.operatorToken, "WEIR_PRINCIPAL_RATE=0", "WEIR_STRANGER_RATE=0",
			"WEIR_OIDC_ISSUER=http://127.0.0.1:9", "WEIR_OIDC_CLIENT_ID=weir", "WEIR_OIDC_CLIENT_SECRET=none", // nobody logs in
		},
		Probe: process.Answers("http://" + loopback(port) + "/healthz"),
	}, nil, true), nil
}

// agent is one of a gateway; its address is where callers go.
func (w *world) agent(ctx context.Context, c Config, name, token string) (n *node, address string, err error) {
	ports, err := engine.FreePorts(2)
	if err != nil {
		return nil, "", err
	}
	state, err := w.disk(c, name, agentRoom)
	if err != nil {
		return nil, "", err
	}
	kafka, err := w.kafkaLink(ctx, name+" to kafka")
	if err != nil {
		return nil, "", err
	}
	n = w.node(name, process.Program{
		Path: filepath.Join(w.bin, "weir-agent"), Env: []string{
			"WEIR_LISTEN=" + loopback(ports[0]), "WEIR_ADMIN_LISTEN=" + loopback(ports[1]), "WEIR_STATE_DIR=" + w.path(name, "state"),
			"WEIR_AGENT_NAME=" + name, "WEIR_CONTROL_URL=" + w.controlURL, "WEIR_ENROLMENT_TOKEN=" + token, "WEIR_KAFKA_BROKERS=" + kafka,
			"WEIR_KAFKA_TOPIC=" + usageTopic, "WEIR_ALLOW_UPSTREAMS=" + w.provider.url + "=" + credentialRef, "WEIR_SECRET_MOCK=" + credential,
			"WEIR_DRAIN_DELAY=0s", "WEIR_DRAIN_TIMEOUT=10s", "WEIR_DELIVERY_TIMEOUT=" + c.Rest.String(), "WEIR_ACCESS_LOG=failed",
		},
		Grace: c.Rest + 30*time.Second,
		Probe: process.Answers("http://" + loopback(ports[1]) + "/readyz"),
	}, state, true)
	w.agents = append(w.agents, n)
	return n, "http://" + loopback(ports[0]), nil
}
