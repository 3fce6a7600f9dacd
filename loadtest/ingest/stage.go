package ingest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
	"github.com/weirhq/weir/deploy/local/stack"
)

const (
	topic      = "weir.usage.v1"
	deadTopic  = "weir.usage.v1.dead"
	partitions = 4
	database   = "weir"
	startsIn   = time.Minute
)

// stage is a control plane without ingest, the engines, and the ingest that is measured.
type stage struct {
	*stack.Stack
	engines []engine.Running
	brokers string
	kafka   *kafka.Client
	rows    driver.Conn
	ingest  *process.Process
}

// newStage returns what has begun beside an error, too.
func newStage(ctx context.Context, dir string, env ...string) (s *stage, err error) {
	s = &stage{}
	root, err := file.RepositoryRoot()
	if err != nil {
		return s, err
	}
	if s.Stack, err = stack.Start(ctx, stack.Config{Dir: filepath.Join(dir, "stack"), Roles: "api,fleet"}); err != nil {
		return s, err
	}
	url, err := s.startEngines(ctx, root, dir)
	if err != nil {
		return s, err
	}
	if err := s.startIngest(ctx, url, env); err != nil {
		return s, err
	}
	options, err := clickhouse.ParseDSN(url)
	if err != nil {
		return s, err
	}
	options.Auth.Database = database
	s.rows, err = clickhouse.Open(options)
	return s, err
}

func (s *stage) startEngines(ctx context.Context, root, dir string) (url string, err error) {
	cache, err := fetch.CacheDir(root)
	if err != nil {
		return "", err
	}
	engines, err := fetch.Engines(ctx, cache, os.Stderr)
	if err != nil {
		return "", err
	}
	ports, err := engine.FreePorts(3)
	if err != nil {
		return "", err
	}
	running, ch, err := engine.StartClickHouse(ctx, engine.ClickHouseConfig{
		Engines: engines, Dir: filepath.Join(dir, "clickhouse"), HTTPPort: ports[0], TCPPort: ports[1],
	})
	if err != nil {
		return "", err
	}
	s.engines = append(s.engines, running)
	running, broker, err := engine.StartKafka(ctx, engine.KafkaConfig{
		Dir: filepath.Join(dir, "kafka"), Port: ports[2], Topics: []engine.Topic{{Name: topic, Partitions: partitions}, {Name: deadTopic, Partitions: 1}},
	})
	if err != nil {
		return "", err
	}
	s.engines, s.brokers = append(s.engines, running), broker.Brokers
	s.kafka = &kafka.Client{Addr: kafka.TCP(broker.Brokers), Timeout: time.Minute}
	return ch.AdminURL, nil
}

// startIngest starts a process that has this one role, and one processor at a time, of the
// program that the stack was built with.
func (s *stage) startIngest(ctx context.Context, clickhouseURL string, env []string) error {
	ports, err := engine.FreePorts(1)
	if err != nil {
		return err
	}
	at := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
	s.ingest, err = process.Start(ctx, process.Program{
		Name: "ingest", Path: filepath.Join(s.Dir, "weir-controlplane"), Args: []string{"serve"}, Grace: 10 * time.Second,
		Env: append([]string{
			"GOMAXPROCS=1", "WEIR_ROLES=ingest", "WEIR_LISTEN=" + at, "WEIR_URL=" + s.URL,
			"WEIR_POSTGRES_URL=" + s.DSN, "WEIR_POSTGRES_SUPERUSER=true", "WEIR_HOUSE_KEY_FILE=" + filepath.Join(s.Dir, "house.key"),
			"WEIR_KAFKA_BROKERS=" + s.brokers, "WEIR_CLICKHOUSE_URL=" + clickhouseURL,
		}, env...),
		Probe: process.Answers("http://" + at + "/healthz"),
	}, filepath.Join(s.Dir, "ingest.log"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startsIn)
	defer cancel()
	return s.ingest.Ready(ctx)
}

// close stops what runs.
func (s *stage) close() (err error) {
	if s.rows != nil {
		err = s.rows.Close()
	}
	if s.ingest != nil {
		s.ingest.Stop()
	}
	if s.Stack != nil {
		s.Close()
	}
	for _, e := range s.engines {
		e.Kill()
	}
	return err
}
