package budget

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/deploy/local/build"
	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
	"github.com/weirhq/weir/loadtest/screen"
)

const (
	usageTopic = "weir.usage.v1"
	deadTopic  = "weir.usage.v1.dead"
	planeCount = 2
	database   = "weir"
)

// world is everything that runs.
type world struct {
	dir, bin      string
	config        Config
	operatorToken string

	mock     *http.Server
	provider *provider
	mockURL  string
	gate     *gate

	engines    []engine.Running
	superURL   string // of Postgres, and its own database
	storeURL   string
	clickhouse engine.ClickHouse
	brokers    string
	planes     []*part
	agents     []*agent
}

// agent is one with its addresses.
type agent struct {
	*part
	url, private string
}

// newWorld builds Weir and starts all but the agents.
func newWorld(ctx context.Context, c Config, dir string, say *screen.Screen, truth *truth) (_ *world, err error) {
	root, err := file.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	progress := func(n int) { say.Linef("building: %d packages so far", n) }
	if err := build.Binaries(ctx, root, progress, "./controlplane/cmd/weir-controlplane", "./dataplane/cmd/weir-agent"); err != nil {
		return nil, err
	}
	w := &world{dir: dir, bin: build.Folder(root), config: c, operatorToken: file.NewSecret()}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if err := w.serveProvider(ctx, truth); err != nil {
		return nil, err
	}
	if err := w.startEngines(ctx, root); err != nil {
		return nil, err
	}
	if err := w.preparePlanes(ctx); err != nil {
		return nil, err
	}
	return w, w.startPlanes(ctx)
}

func (w *world) serveProvider(ctx context.Context, truth *truth) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.provider, w.mockURL = newProvider(truth, w.config.Answer), "http://"+listener.Addr().String()
	w.mock = &http.Server{Handler: w.provider, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.mock.Serve(listener) }() // until close
	return nil
}

func (w *world) startEngines(ctx context.Context, root string) error {
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
	running, postgres, err := engine.StartPostgres(ctx, engine.PostgresConfig{Engines: installed, Dir: w.path("postgres"), Port: ports[0]})
	if err != nil {
		return err
	}
	w.engines = append(w.engines, running)
	w.superURL = postgres.URL
	store, err := url.Parse(postgres.URL)
	if err != nil {
		return err
	}
	store.Path = "/" + database
	w.storeURL = store.String()
	if err := w.super(ctx, "CREATE DATABASE "+database); err != nil {
		return err
	}
	running, w.clickhouse, err = engine.StartClickHouse(ctx, engine.ClickHouseConfig{Engines: installed, Dir: w.path("clickhouse"), HTTPPort: ports[1], TCPPort: ports[2]})
	if err != nil {
		return err
	}
	w.engines = append(w.engines, running)
	running, kafka, err := engine.StartKafka(ctx, engine.KafkaConfig{Dir: w.path("kafka"), Port: ports[3], Topics: []engine.Topic{{Name: usageTopic, Partitions: 4}, {Name: deadTopic, Partitions: 1}}})
	if err != nil {
		return err
	}
	w.engines, w.brokers = append(w.engines, running), kafka.Brokers
	return nil
}

// super has the superuser do something in a database of its own.
func (w *world) super(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, w.superURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// preparePlanes says how control planes are started, behind the gate that agents know.
func (w *world) preparePlanes(ctx context.Context) (err error) {
	if w.gate, err = listen(ctx); err != nil {
		return err
	}
	ports, err := engine.FreePorts(planeCount)
	if err != nil {
		return err
	}
	for i, port := range ports {
		at := &url.URL{Scheme: "http", Host: loopback(port)}
		w.gate.planes = append(w.gate.planes, &door{url: at})
		name := fmt.Sprintf("controlplane-%d", i+1)
		w.planes = append(w.planes, &part{name: name, log: w.path(name + ".log"), program: process.Program{
			Name: name, Path: filepath.Join(w.bin, "weir-controlplane"), Args: []string{"serve"}, Env: w.planeEnv(port), Probe: process.Answers(at.String() + "/healthz"),
		}})
	}
	return nil
}

func (w *world) planeEnv(port int) []string {
	return []string{
		"WEIR_LISTEN=" + loopback(port), "WEIR_URL=" + w.gate.url, "WEIR_POSTGRES_URL=" + w.storeURL, "WEIR_POSTGRES_SUPERUSER=true",
		"WEIR_CLICKHOUSE_URL=" + w.clickhouse.AdminURL, "WEIR_CLICKHOUSE_REPORT_URL=" + w.clickhouse.ReportURL, "WEIR_KAFKA_BROKERS=" + w.brokers,
		"WEIR_KAFKA_TOPIC=" + usageTopic, "WEIR_KAFKA_DEAD_TOPIC=" + deadTopic, "WEIR_ROLES=api,fleet,ingest",
		"WEIR_HOUSE_KEY_FILE=" + w.path("house.key"), "WEIR_OPERATOR_TOKEN=" + w.operatorToken, "WEIR_PRINCIPAL_RATE=0", "WEIR_STRANGER_RATE=0",
		"WEIR_OIDC_ISSUER=http://127.0.0.1:9", "WEIR_OIDC_CLIENT_ID=weir", "WEIR_OIDC_CLIENT_SECRET=none", // nobody logs in
	}
}

func (w *world) startPlanes(ctx context.Context) error {
	for i := range w.planes {
		if err := w.startPlane(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) startPlane(ctx context.Context, i int) error {
	err := w.planes[i].start(ctx)
	w.gate.planes[i].down.Store(err != nil)
	return err
}

// killPlane: calls that are under way are lost, and those of the next 100 ms, by when the
// balancer has noticed.
func (w *world) killPlane(i int) {
	w.planes[i].kill()
	time.Sleep(100 * time.Millisecond)
	w.gate.planes[i].down.Store(true)
}

// operate runs a command of the operator.
func (w *world) operate(ctx context.Context, arguments ...string) error {
	command := exec.CommandContext(ctx, w.planes[0].program.Path, arguments...)
	command.Env = w.planes[0].program.Env
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", arguments, err, said)
	}
	return nil
}

// startAgents enrols them all, a few at a time.
func (w *world) startAgents(ctx context.Context, token string) error {
	for i := range w.config.Agents {
		ports, err := engine.FreePorts(2)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("agent-%d", i+1)
		a := &agent{url: "http://" + loopback(ports[0]), private: "http://" + loopback(ports[1])}
		a.part = &part{name: name, log: w.path(name + ".log"), program: process.Program{
			Name: name, Path: filepath.Join(w.bin, "weir-agent"), Grace: w.config.Rest + 30*time.Second, Probe: process.Answers(a.private + "/readyz"), Env: []string{
				"WEIR_LISTEN=" + loopback(ports[0]), "WEIR_ADMIN_LISTEN=" + loopback(ports[1]), "WEIR_STATE_DIR=" + w.path(name), "WEIR_AGENT_NAME=" + name,
				"WEIR_CONTROL_URL=" + w.gate.url, "WEIR_ENROLMENT_TOKEN=" + token, "WEIR_KAFKA_BROKERS=" + w.brokers, "WEIR_KAFKA_TOPIC=" + usageTopic,
				"WEIR_ALLOW_UPSTREAMS=" + w.mockURL + "=" + credentialRef, "WEIR_SECRET_MOCK=" + credential,
				"WEIR_DRAIN_DELAY=0s", "WEIR_DRAIN_TIMEOUT=30s", "WEIR_DELIVERY_TIMEOUT=" + w.config.Rest.String(), "WEIR_ACCESS_LOG=none",
				"WEIR_QUOTA_WAIT=" + w.config.Wait.String(),
			},
		}}
		w.agents = append(w.agents, a)
		if err := a.start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stopAgents has them settle, give back and deliver.
func (w *world) stopAgents(say *screen.Screen) error {
	began := time.Now()
	faults := make([]error, len(w.agents))
	var stopping sync.WaitGroup
	for i, a := range w.agents {
		stopping.Go(func() { faults[i] = a.stop() })
	}
	stopping.Wait()
	say.Linef("agents have stopped after %s", time.Since(began).Round(100*time.Millisecond))
	return errors.Join(faults...)
}

// endings are processes that ended by themselves.
func (w *world) endings() (all []string) {
	for _, p := range w.planes {
		all = append(all, p.ended())
	}
	for _, a := range w.agents {
		all = append(all, a.ended())
	}
	return all
}

func (w *world) close() error {
	for _, a := range w.agents {
		a.kill()
	}
	for _, p := range w.planes {
		p.kill()
	}
	var fault error
	if w.gate != nil {
		fault = w.gate.shut()
	}
	for _, e := range w.engines {
		e.Stop()
	}
	if w.mock != nil {
		w.provider.mock.Close()
		fault = errors.Join(fault, w.mock.Close())
	}
	return fault
}

func (w *world) path(names ...string) string {
	return filepath.Join(append([]string{w.dir}, names...)...)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
