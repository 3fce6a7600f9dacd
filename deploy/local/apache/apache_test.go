//go:build apachekafka

package apache_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/deploy/local/apache"
	"github.com/weirhq/weir/deploy/local/apache/apachetest"
	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
)

const parentVariable = "WEIR_TEST_PARENT"

func TestMain(m *testing.M) {
	if config := os.Getenv(parentVariable); config != "" {
		os.Exit(beParent(config))
	}
	os.Exit(m.Run())
}

// beParent is the process that a test kills.
func beParent(config string) int {
	var c apache.Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		fmt.Println(err)
		return 1
	}
	if _, err := apache.Start(context.Background(), c); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	select {}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A killed parent takes its broker along; the next one goes on with its data.
func TestLongKilledParent(t *testing.T) {
	cache, err := fetch.CacheDir("../../..")
	must(t, err)
	c := apache.Config{Dir: t.TempDir(), Nodes: 1, Topics: []engine.Topic{{Name: "usage", Partitions: 1}}}
	c.Kafka, err = fetch.Kafka(t.Context(), cache, os.Stderr)
	must(t, err)
	ports, err := engine.FreePorts(1)
	must(t, err)
	c.Port = ports[0]
	config, err := json.Marshal(c)
	must(t, err)
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), parentVariable+"="+string(config))
	out, err := parent.StdoutPipe()
	must(t, err)
	must(t, parent.Start())
	line, _ := bufio.NewReader(out).ReadString('\n')
	write(t, fmt.Sprintf("127.0.0.1:%d", c.Port), "usage", "kept")
	must(t, parent.Process.Signal(syscall.SIGKILL))
	_ = parent.Wait()
	if line != "ready\n" {
		t.Fatalf("the parent said %q", line)
	}

	cluster, err := apache.Start(t.Context(), c)
	t.Cleanup(cluster.Kill)
	must(t, err)
	if got := read(t, cluster.Open, "usage"); !cmp.Equal(got, []string{"kept"}) {
		t.Errorf("got %q", got)
	}
}

// Three brokers go on without one of them, and none is alone with what it acknowledged.
func TestLongThreeBrokers(t *testing.T) {
	c := apachetest.Start(t, apache.Config{Nodes: 3, Topics: []engine.Topic{{Name: "usage", Partitions: 1}}})
	write(t, c.Open, "usage", "of three")
	c.Nodes[2].Kill()
	write(t, c.Open, "usage", "of two")
	must(t, c.Nodes[2].Start(t.Context()))
	c.Nodes[1].Stop()
	write(t, c.Open, "usage", "of two others")
	if got := read(t, c.Open, "usage"); !cmp.Equal(got, []string{"of three", "of two", "of two others"}) {
		t.Errorf("got %q", got)
	}
	c.Nodes[2].Kill()
	client, done := c.Client()
	defer done()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		err := produce(t, client, "usage", "of one")
		if errors.Is(err, kafka.NotEnoughReplicas) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a broker that is alone takes records: %v", err)
		}
	}
}

// write tries for as long as a new leader takes.
func write(t *testing.T, brokers, topic, value string) {
	t.Helper()
	transport := &kafka.Transport{MetadataTTL: time.Second}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(strings.Split(brokers, ",")...), Transport: transport, Timeout: 10 * time.Second}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		err := produce(t, client, topic, value)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func produce(t *testing.T, client *kafka.Client, topic, value string) error {
	t.Helper()
	answer, err := client.Produce(t.Context(), &kafka.ProduceRequest{
		Topic: topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte(value))}),
	})
	if err != nil {
		return err
	}
	return answer.Error
}

// read returns what the topic's only partition has, each value once: an attempt without an answer may have worked.
func read(t *testing.T, brokers, topic string) (values []string) {
	t.Helper()
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: strings.Split(brokers, ","), Topic: topic, MaxWait: 100 * time.Millisecond})
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		m, err := reader.ReadMessage(ctx)
		must(t, err)
		if len(values) == 0 || values[len(values)-1] != string(m.Value) {
			values = append(values, string(m.Value))
		}
		if m.Offset+1 == m.HighWaterMark {
			return values
		}
	}
}
