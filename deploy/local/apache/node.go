package apache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/deploy/local/process"
)

const (
	// clusterID is "weir-local-kafka" in base64.
	clusterID   = "d2Vpci1sb2NhbC1rYWZrYQ"
	readyWithin = 2 * time.Minute
)

// Node is one process of the cluster.
type Node struct {
	// Program formats the data folder, when it is started for the first time, and makes missing topics when it answers.
	Program process.Program

	id      int
	dir     string
	ports   []int
	running *process.Process
}

func (n *Node) prepare(c Config, controllerPort int, a *authority) error {
	if err := os.MkdirAll(filepath.Join(n.dir, "tmp"), 0o700); err != nil {
		return fmt.Errorf("kafka folder: %w", err)
	}
	if err := a.sign("127.0.0.1", n.path("server.pem")); err != nil {
		return err
	}
	if err := n.writeProperties(c, controllerPort); err != nil {
		return err
	}
	n.Program = process.Program{
		Name: "kafka", Path: c.Kafka.Java, Args: n.java(c, "kafka.Kafka", n.path("server.properties")), Dir: n.dir,
		Grace: 10 * time.Second, Probe: func(ctx context.Context) error { return n.answers(ctx, c) },
		Before: func(ctx context.Context) error { return n.format(ctx, c) },
	}
	return nil
}

func (n *Node) path(name string) string { return filepath.Join(n.dir, name) }

// Log is the file with what the node wrote.
func (n *Node) Log() string { return n.path("kafka.log") }

// java keeps what the broker makes below its folder, and small.
func (n *Node) java(c Config, class string, args ...string) []string {
	return append([]string{
		"-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:-UsePerfData",
		"-Djava.io.tmpdir=" + n.path("tmp"), "-Dlog4j2.level=WARN", "-cp", filepath.Join(c.Kafka.Jars, "*"), class,
	}, args...)
}

// format writes who the node is into its data folder, once.
func (n *Node) format(ctx context.Context, c Config) error {
	if _, err := os.Stat(n.path("data/meta.properties")); err == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, c.Kafka.Java, n.java(c, "kafka.tools.StorageTool", "format", "--ignore-formatted",
		"--cluster-id", clusterID, "--config", n.path("server.properties"))...)
	said, err := os.Create(n.path("format.log"))
	if err != nil {
		return fmt.Errorf("format kafka's folder: %w", err)
	}
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said
	if err := process.Run(cmd); err != nil {
		text, _ := os.ReadFile(said.Name())
		return fmt.Errorf("format kafka's folder: %w: %s", err, strings.TrimSpace(string(text)))
	}
	return nil
}

// Start starts the node over its data and waits until it is one of the cluster's brokers.
func (n *Node) Start(ctx context.Context) (err error) {
	if n.running, err = process.Start(ctx, n.Program, n.Log()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return n.running.Ready(ctx)
}

// Stop ends the node in order: it hands its partitions over first.
func (n *Node) Stop() { n.running.Stop() }

// Kill ends the node as kill -9 does, if it runs; its data stays.
func (n *Node) Kill() {
	if n.running != nil {
		n.running.Kill()
	}
}

// Pause stops the node's clock, as a machine does that hangs; Continue lets it go on.
func (n *Node) Pause() error { return syscall.Kill(n.running.PID(), syscall.SIGSTOP) }

// Continue ends a Pause.
func (n *Node) Continue() error { return syscall.Kill(n.running.PID(), syscall.SIGCONT) }

// answers is nil once the node itself lists the node among the brokers, and has the topics.
func (n *Node) answers(ctx context.Context, c Config) error {
	conn, err := kafka.DialContext(ctx, "tcp", loopback(n.ports[open]))
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	brokers, err := conn.Brokers()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(brokers, func(b kafka.Broker) bool { return b.Port == n.ports[open] }) {
		return errors.New("node " + strconv.Itoa(n.id) + " is not among the brokers yet")
	}
	for _, t := range c.Topics {
		if err := n.has(ctx, t, c.Nodes); err != nil {
			return err
		}
	}
	return nil
}
