// Package dashboards is the load test of analytics: a month of usage of one large
// organization and many small ones in a ClickHouse of its own, and every fixed query of the
// console over it, as the user and with the limits that they have in production.
package dashboards

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
)

// Config of a run.
type Config struct {
	Rows    int64         `default:"100000000" help:"Requests of the large organization, within 30 days; each of the small ones has a thousandth."`
	Tenants int           `default:"20" help:"Organizations, the large one included."`
	Runs    int           `default:"15" help:"How often each query runs over each range."`
	Target  time.Duration `default:"300ms" help:"What p95 of a query over 30 days is held against."`
	Dir     string        `type:"existingdir" help:"Where the data goes, 210 bytes a row; removed at the end. Default: the system's folder for temporary files."`
	JSON    string        `name:"json" type:"path" help:"Write the results to this file, too."`
}

// Run fills a server, measures and writes a report to out.
func Run(ctx context.Context, c Config, out io.Writer) (err error) {
	dir, err := os.MkdirTemp(c.Dir, "weir-dashboards-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	root, err := file.RepositoryRoot()
	if err != nil {
		return err
	}
	queries, err := readQueries(root)
	if err != nil {
		return err
	}
	running, server, err := startServer(ctx, root, dir)
	if err != nil {
		return err
	}
	defer running.Kill() // the data goes, too
	admin, err := migrated(ctx, server.AdminURL)
	if err != nil {
		return err
	}
	defer admin.Close()
	r := &report{config: c, out: out}
	r.machine(root)
	f := &filler{config: c, admin: admin, report: r, to: time.Now().UTC().Truncate(time.Hour)}
	if err := f.fill(ctx); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	return measure(ctx, c, server, admin, queries, f.to, r)
}

func startServer(ctx context.Context, root, dir string) (engine.Running, engine.ClickHouse, error) {
	cache, err := fetch.CacheDir(root)
	if err != nil {
		return engine.Running{}, engine.ClickHouse{}, err
	}
	engines, err := fetch.Engines(ctx, cache, os.Stderr)
	if err != nil {
		return engine.Running{}, engine.ClickHouse{}, err
	}
	ports, err := engine.FreePorts(2)
	if err != nil {
		return engine.Running{}, engine.ClickHouse{}, err
	}
	return engine.StartClickHouse(ctx, engine.ClickHouseConfig{
		Engines: engines, Dir: dir, HTTPPort: ports[0], TCPPort: ports[1], Access: engine.Access{QueryLog: true},
	})
}

func exec(ctx context.Context, conn driver.Conn, statements ...string) error {
	for _, statement := range statements {
		if err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%.60q: %w", statement, err)
		}
	}
	return nil
}
