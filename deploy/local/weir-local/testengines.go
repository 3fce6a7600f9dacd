package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
)

var usageTopics = []engine.Topic{{Name: "weir.usage.v1", Partitions: 4}, {Name: "weir.usage.v1.dead", Partitions: 1}}

// startEngines starts throwaway engines below dir. The returned function stops those that started, also after an error.
// With WEIR_TEST_KAFKA=apache the broker is Apache Kafka, and as it comes: it makes topics that are asked for.
func startEngines(ctx context.Context, engines fetch.Installation, dir string) (env []string, stop func(), err error) {
	began := time.Now()
	var running [2]engine.Running
	broker := testBroker{stop: func() {}}
	stop = func() {
		broker.stop()
		for _, r := range running {
			if r.Process != nil {
				r.Kill() // the data is thrown away
			}
		}
	}
	ports, err := engine.FreePorts(3)
	if err != nil {
		return nil, stop, err
	}
	var pg engine.Postgres
	var ch engine.ClickHouse
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		running[0], pg, err = engine.StartPostgres(ctx, engine.PostgresConfig{Engines: engines, Dir: filepath.Join(dir, "postgres"), Port: ports[0]})
		return err
	})
	group.Go(func() (err error) {
		running[1], ch, err = engine.StartClickHouse(ctx, engine.ClickHouseConfig{
			Engines: engines, Dir: filepath.Join(dir, "clickhouse"), HTTPPort: ports[1], TCPPort: ports[2],
		})
		return err
	})
	group.Go(func() (err error) {
		broker, err = startTestBroker(ctx, filepath.Join(dir, "kafka"))
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, stop, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, stop, fmt.Errorf("find own binary: %w", err)
	}
	fmt.Fprintf(os.Stderr, "engines: PostgreSQL, %s and ClickHouse answer after %.1f s\n", broker.name, time.Since(began).Seconds())
	return []string{
		"WEIR_TEST_POSTGRES_URL=" + pg.URL,
		"WEIR_TEST_KAFKA_BROKERS=" + broker.address,
		"WEIR_TEST_CLICKHOUSE_URL=" + ch.AdminURL,
		"WEIR_TEST_CLICKHOUSE_HTTP_URL=" + ch.AdminHTTPURL,
		"WEIR_TEST_CLICKHOUSE_REPORT_URL=" + ch.ReportURL,
		"WEIR_TEST_LIBCHDB=" + engines.LibCHDB,
		"WEIR_LOCAL_BIN=" + self,
	}, stop, nil
}
