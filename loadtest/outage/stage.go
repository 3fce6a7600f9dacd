package outage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/deploy/local/build"
	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
	"github.com/weirhq/weir/loadtest/gateway"
	"github.com/weirhq/weir/loadtest/gateway/load"
	"github.com/weirhq/weir/loadtest/gateway/upstream"
)

// stage is an agent and what it calls.
type stage struct {
	dir     string
	mock    *upstream.Server
	plane   *http.Server
	broker  *broker
	agent   *process.Process
	private string
	request load.Request
}

func newStage(ctx context.Context, c Config) (*stage, error) {
	root, err := file.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	if err := build.Binaries(ctx, root, func(int) {}, "./dataplane/cmd/weir-agent"); err != nil {
		return nil, err
	}
	s := &stage{}
	if s.dir, err = os.MkdirTemp(filepath.Join(root, ".weir"), "loadtest-"); err != nil {
		return nil, err
	}
	if err := s.start(ctx, c, filepath.Join(build.Folder(root), "weir-agent")); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) start(ctx context.Context, c Config, binary string) (err error) {
	ports, err := engine.FreePorts(4)
	if err != nil {
		return err
	}
	if s.mock, err = upstream.Listen(ctx, "127.0.0.1:0"); err != nil {
		return err
	}
	go func() { _ = s.mock.Serve() }()
	if s.broker, err = newBroker(ports[0], filepath.Join(s.dir, "broker")); err != nil {
		return err
	}
	s.plane = &http.Server{Addr: loopback(ports[1]), Handler: upstream.NewPlane(s.broker.settled), ReadHeaderTimeout: timeout}
	go func() { _ = s.plane.ListenAndServe() }()
	state, controlURL := filepath.Join(s.dir, "state"), "http://"+loopback(ports[1])
	policy, verifies, err := gateway.Install(s.dir, state, "http://"+s.mock.Address()+"/v1", controlURL)
	if err != nil {
		return err
	}
	address := loopback(ports[2])
	s.private = "http://" + loopback(ports[3])
	s.request = load.NewRequest(address, gateway.Path, gateway.CallerKey,
		fmt.Appendf(nil, `{"model":%q,"messages":[{"role":"user","content":"How much water passed the weir since the last rain?"}]}`, gateway.Route))
	s.agent, err = process.Start(ctx, process.Program{
		Name: "weir-agent", Path: binary, Grace: 20 * time.Second,
		Probe: func(ctx context.Context) error { _, err := s.metrics(ctx); return err },
		Env: []string{
			"WEIR_LISTEN=" + address, "WEIR_ADMIN_LISTEN=" + loopback(ports[3]), "WEIR_CONTROL_URL=" + controlURL, "WEIR_STATE_DIR=" + state,
			"WEIR_DRAIN_DELAY=0s", "WEIR_DELIVERY_TIMEOUT=0s", "WEIR_POLICY_FILE=" + policy, "WEIR_POLICY_KEYS=" + verifies, "WEIR_ACCESS_LOG=failed",
			"WEIR_ALLOW_UPSTREAMS=http://" + s.mock.Address(), "WEIR_SECRET_LOADTEST=" + upstream.Key,
			"WEIR_KAFKA_BROKERS=" + loopback(ports[0]), "WEIR_KAFKA_TOPIC=" + upstream.Topic,
			"WEIR_SPOOL_MAX_BYTES=" + strconv.FormatInt(3*int64(c.Bytes)+(256<<20), 10),
		},
	}, filepath.Join(s.dir, "agent.log"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return s.agent.Ready(ctx)
}

func (s *stage) close() error {
	if s.agent != nil {
		s.agent.Stop()
	}
	if s.plane != nil {
		_ = s.plane.Close()
	}
	if s.broker != nil {
		s.broker.stop()
	}
	if s.mock != nil {
		s.mock.Close()
	}
	return os.RemoveAll(s.dir)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// metrics of the agent; records are all that it wrote since its start.
type metrics struct{ bytes, records, sent float64 }

func (s *stage) metrics(ctx context.Context) (m metrics, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.private+"/metrics", http.NoBody)
	if err != nil {
		return m, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return m, err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		value, _ := strconv.ParseFloat(text, 64) // 0: of another form, not ours
		switch {
		case name == "weir_agent_spool_bytes":
			m.bytes = value
		case name == "weir_agent_usage_records_sent_total":
			m.sent = value
		case strings.HasPrefix(name, "weir_agent_requests_total{"):
			m.records += value
		}
	}
	return m, lines.Err()
}
