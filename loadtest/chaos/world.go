package chaos

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/deploy/local/build"
	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/loadtest/screen"
)

// Small disks, bytes: enough for a run, little enough for memory.
const (
	agentRoom  = 256 << 20
	engineRoom = 2 << 30
	startsIn   = 2 * time.Minute
)

// world is everything that runs, and the links between.
type world struct {
	say      *screen.Screen
	dir, bin string
	config   Config
	nodes    []*node // in the order of their start
	links    []*link
	disks    []*disk
	provider *provider
	mock     *http.Server

	postgres, clickhouse, kafka, control *node
	ingests                              []*node
	agents                               []*node
	// Where users reach them, but for the links that are in between.
	postgresURL, clickhouseURL, reportURL, brokers, controlURL string
	operatorToken                                              string
}

// newWorld builds Weir and starts all but the agents, which need organizations.
func newWorld(ctx context.Context, c Config, dir string, say *screen.Screen) (_ *world, err error) {
	root, err := file.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	if err := build.Binaries(ctx, root, func(n int) { say.Linef("building: %d packages so far", n) }, "./controlplane/cmd/weir-controlplane", "./dataplane/cmd/weir-agent"); err != nil {
		return nil, err
	}
	w := &world{say: say, config: c, dir: dir, bin: build.Folder(root), operatorToken: file.NewSecret()}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if err := w.serveProvider(ctx); err != nil {
		return nil, err
	}
	if err := w.engines(ctx, c, root); err != nil {
		return nil, err
	}
	return w, w.planes(ctx)
}

func (w *world) serveProvider(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.provider = newProvider("http://" + listener.Addr().String())
	w.mock = &http.Server{Handler: w.provider, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.mock.Serve(listener) }() // until close
	return nil
}

// engines start in folders of their own.
func (w *world) engines(ctx context.Context, c Config, root string) error {
	cache, err := fetch.CacheDir(root)
	if err != nil {
		return err
	}
	installed, err := fetch.Engines(ctx, cache, os.Stderr)
	if err != nil {
		return err
	}
	ports, err := engine.FreePorts(4)
	if err != nil {
		return err
	}
	postgres, err := engine.PreparePostgres(ctx, engine.PostgresConfig{Engines: installed, Dir: w.path("postgres"), Port: ports[0], Durable: true})
	if err != nil {
		return err
	}
	columns, err := w.disk(c, "clickhouse", engineRoom)
	if err != nil {
		return err
	}
	clickhouse, err := engine.PrepareClickHouse(engine.ClickHouseConfig{Engines: installed, Dir: w.path("clickhouse"), HTTPPort: ports[1], TCPPort: ports[2]})
	if err != nil {
		return err
	}
	records, err := w.disk(c, "kafka", engineRoom)
	if err != nil {
		return err
	}
	prepare, err := brokerOf(c.Kafka)
	if err != nil {
		return err
	}
	kafka, err := prepare(ctx, brokerConfig{Cache: cache, Engines: installed, Dir: w.path("kafka"), Port: ports[3], Topics: []engine.Topic{{Name: usageTopic, Partitions: 4}, {Name: deadTopic, Partitions: 1}}})
	if err != nil {
		return err
	}
	w.postgresURL, w.clickhouseURL, w.reportURL, w.brokers = postgres.URL, clickhouse.AdminURL, clickhouse.ReportURL, kafka.Brokers
	w.postgres = w.node("postgres", postgres.Program, nil, false)
	w.clickhouse = w.node("clickhouse", clickhouse.Program, columns, false)
	w.kafka = w.node("kafka", kafka.Program, records, false)
	return w.startAll(ctx, w.nodes...)
}

// disk gives a folder a small disk of its own where disks are to be full and may be made.
func (w *world) disk(c Config, name string, room int64) (*disk, error) {
	filled := slices.ContainsFunc(c.Disks, func(kind string) bool { return strings.HasPrefix(name, kind) })
	if !inside() || !c.has(full) || !filled {
		return nil, nil
	}
	d, err := newDisk(w.path(name), room)
	if err == nil {
		w.disks = append(w.disks, d)
	}
	return d, err
}

func (w *world) startAll(ctx context.Context, nodes ...*node) error {
	ctx, cancel := context.WithTimeout(ctx, startsIn)
	defer cancel()
	for _, n := range nodes {
		if err := n.start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// link puts itself before the server of a URL, and returns the URL to use instead.
func (w *world) link(ctx context.Context, name, server string) (string, error) {
	at, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	l, err := newLink(ctx, name, at.Host)
	if err != nil {
		return "", err
	}
	w.links = append(w.links, l)
	at.Host = l.address()
	return at.String(), nil
}

func (w *world) kafkaLink(ctx context.Context, name string) (address string, err error) {
	l, err := newKafkaLink(ctx, name, w.brokers)
	if err != nil {
		return "", err
	}
	w.links = append(w.links, l)
	return l.address(), nil
}

func (w *world) path(names ...string) string {
	return filepath.Join(append([]string{w.dir}, names...)...)
}

// heal ends every fault and returns once all answer.
func (w *world) heal(ctx context.Context) error {
	for _, l := range w.links {
		l.set(open)
	}
	for _, d := range w.disks {
		if err := d.free(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, startsIn)
	defer cancel()
	for _, n := range w.nodes {
		if err := n.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// endings are programs of Weir that ended by themselves.
func (w *world) endings() (found []finding) {
	for _, n := range w.nodes {
		n.mu.Lock()
		for _, how := range n.ended {
			if n.ours {
				found = append(found, finding{check: "a program ended by itself, or not in order", text: how})
			} else {
				w.say.Linef("note: an engine ended by itself: %s", how)
			}
		}
		n.mu.Unlock()
	}
	return found
}

// close stops all, users before what they use; nothing is left running.
func (w *world) close() error {
	for _, n := range slices.Backward(w.nodes) {
		n.close()
	}
	for _, l := range w.links {
		l.close()
	}
	for _, d := range w.disks {
		d.close()
	}
	if w.mock != nil {
		w.provider.close()
		return w.mock.Close()
	}
	return nil
}

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
