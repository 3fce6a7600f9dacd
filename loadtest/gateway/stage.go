package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/deploy/local/build"
	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
	"github.com/weirhq/weir/loadtest/gateway/upstream"
)

// startWithin bounds how long a process may take until it answers.
const startWithin = 30 * time.Second

// stage are the processes that are measured, and the mock behind them.
type stage struct {
	root, dir string
	place     placement
	upstream  string // host:port
	broker    int    // its port
	plane     int    // port of what an agent takes for its control plane
	targets   []*target
	running   map[string]*process.Process
	order     []string
}

// newStage builds what is needed and starts it: the targets that are always there, and
// those given.
func newStage(ctx context.Context, c Config, place placement, tell func(format string, args ...any)) (*stage, error) {
	peers, err := c.peers()
	if err != nil {
		return nil, err
	}
	root, err := file.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	tell("building")
	if err := build.Binaries(ctx, root, func(int) {}, "./loadtest", "./dataplane/cmd/weir-agent"); err != nil {
		return nil, err
	}
	s := &stage{root: root, place: place, upstream: c.Upstream, running: map[string]*process.Process{}}
	if s.dir, err = os.MkdirTemp(filepath.Join(root, ".weir"), "loadtest-"); err != nil {
		return nil, err
	}
	if err := s.startAll(ctx, peers); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) startAll(ctx context.Context, peers []*target) error {
	ports, err := engine.FreePorts(5)
	if err != nil {
		return err
	}
	s.broker, s.plane = ports[0], ports[4]
	if err := s.startUpstream(ctx); err != nil {
		return err
	}
	s.targets = append(s.targets, &target{
		name: direct, address: s.upstream, path: chatPath, key: upstream.Key, model: upstream.Model, pid: s.running["upstream"].PID(),
	})
	if err := s.startBare(ctx, ports[1]); err != nil {
		return err
	}
	if !slices.ContainsFunc(peers, func(t *target) bool { return t.name == weir }) {
		if err := s.startWeir(ctx, ports[2], ports[3]); err != nil {
			return err
		}
	}
	s.targets = append(s.targets, peers...)
	return nil
}

// close stops what runs, the mock last, and removes the folder.
func (s *stage) close() error {
	for i := len(s.order) - 1; i >= 0; i-- {
		if p := s.running[s.order[i]]; p != nil {
			p.Stop()
		}
	}
	return os.RemoveAll(s.dir)
}

func (s *stage) start(ctx context.Context, p process.Program, cores []int) error {
	p.Grace = 20 * time.Second
	began, err := process.Start(ctx, p, s.log(p.Name))
	if err != nil {
		return err
	}
	if s.running[p.Name] == nil {
		s.order = append(s.order, p.Name)
	}
	s.running[p.Name] = began
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := began.Ready(ctx); err != nil {
		return err
	}
	return pin(began.PID(), cores)
}

func (s *stage) log(name string) string { return filepath.Join(s.dir, name+".log") }

// maxLog is when a log is emptied: an access log is written in full and kept by nobody.
const maxLog = 64 << 20

// trim empties logs that have grown.
func (s *stage) trim() {
	for _, name := range s.order {
		if info, err := os.Stat(s.log(name)); err == nil && info.Size() > maxLog {
			_ = os.Truncate(s.log(name), 0)
		}
	}
}

func (s *stage) binary(name string) string { return filepath.Join(build.Folder(s.root), name) }

func (s *stage) startUpstream(ctx context.Context) error {
	if c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", s.upstream); err == nil {
		_ = c.Close()
		return fmt.Errorf("something listens on %s already, where the mock of a provider is to: stop it, or choose another --upstream", s.upstream)
	}
	return s.start(ctx, process.Program{
		Name: "upstream", Path: s.binary("loadtest"), Args: []string{"upstream", "--listen", s.upstream, "--broker-port", strconv.Itoa(s.broker), "--plane", loopback(s.plane)},
		Env:   append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(len(s.place.mock))),
		Probe: accepts(s.upstream),
	}, s.place.mock)
}

func (s *stage) startBare(ctx context.Context, port int) error {
	address := loopback(port)
	t := &target{name: bare, address: address, path: chatPath, key: upstream.Key, model: upstream.Model}
	program := process.Program{
		Name: bare, Path: s.binary("loadtest"), Args: []string{"bare", "--listen", address, "--to", "http://" + s.upstream},
		Env:   append(os.Environ(), "GOMAXPROCS=1"),
		Probe: accepts(address),
	}
	return s.own(ctx, t, program)
}

// startWeir starts the real agent with everything on: access log, spool on disk, usage
// signed, shipped to a broker that forgets it, and settled.
func (s *stage) startWeir(ctx context.Context, port, private int) error {
	address, state := loopback(port), filepath.Join(s.dir, "state")
	controlURL := "http://" + loopback(s.plane)
	policy, verifies, err := install(s.dir, state, "http://"+s.upstream+"/v1", controlURL)
	if err != nil {
		return err
	}
	t := &target{name: weir, address: address, private: "http://" + loopback(private), path: chatPath, key: callerKey, model: route}
	return s.own(ctx, t, process.Program{
		Name: weir, Path: s.binary("weir-agent"), Probe: says200(t.private + "/readyz"),
		Env: []string{"GOMAXPROCS=1", "WEIR_LISTEN=" + address, "WEIR_ADMIN_LISTEN=" + loopback(private), "WEIR_CONTROL_URL=" + controlURL,
			"WEIR_STATE_DIR=" + state, "WEIR_AGENT_NAME=loadtest", "WEIR_DRAIN_DELAY=0s", "WEIR_POLICY_FILE=" + policy, "WEIR_POLICY_KEYS=" + verifies,
			"WEIR_ALLOW_UPSTREAMS=http://" + s.upstream, "WEIR_SECRET_LOADTEST=" + upstream.Key,
			"WEIR_KAFKA_BROKERS=" + loopback(s.broker), "WEIR_KAFKA_TOPIC=" + upstream.Topic},
	})
}

// own starts a target that is ours, and can do so again.
func (s *stage) own(ctx context.Context, t *target, p process.Program) error {
	t.again = func() error {
		if old := s.running[t.name]; old != nil {
			old.Stop()
		}
		if err := s.start(ctx, p, s.place.proxy); err != nil {
			return err
		}
		t.pid = s.running[t.name].PID()
		return nil
	}
	s.targets = append(s.targets, t)
	return t.again()
}

// alive is an error when a process of ours has ended.
func (s *stage) alive() error {
	for _, name := range s.order {
		select {
		case <-s.running[name].Done():
			return s.running[name].Ended()
		default:
		}
	}
	return nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func accepts(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err
	}
}

func says200(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := fetch(ctx, http.MethodGet, address, "")
		return err
	}
}

// fetch returns a body; another status than 200 is an error.
func fetch(ctx context.Context, method, address, body string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", address, response.Status, strings.TrimSpace(string(text)))
	}
	return string(text), err
}
