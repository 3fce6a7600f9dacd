package stack

import (
	"context"
	"path/filepath"
	"strconv"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/process"
)

// Agent is one real agent.
type Agent struct {
	// URL for applications, and the private one.
	URL, AdminURL string
	// StateDir outlives the process.
	StateDir string
	// Process is the one that was started last.
	Process *process.Process
	program process.Program
	log     string
}

// NewAgent builds the agent and starts it. env comes after what it needs: its broker,
// which nobody is, can be said there.
func (s *Stack) NewAgent(ctx context.Context, name, token string, env ...string) (*Agent, error) {
	binary, err := s.build(ctx, "./dataplane/cmd/weir-agent")
	if err != nil {
		return nil, err
	}
	ports, err := engine.FreePorts(2)
	if err != nil {
		return nil, err
	}
	at := func(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
	a := &Agent{
		URL: "http://" + at(ports[0]), AdminURL: "http://" + at(ports[1]),
		StateDir: filepath.Join(s.Dir, name), log: filepath.Join(s.Dir, name+".log"),
	}
	a.program = process.Program{Name: name, Path: binary, Probe: process.Answers(a.AdminURL + "/readyz"), Env: append([]string{
		"WEIR_LISTEN=" + at(ports[0]), "WEIR_ADMIN_LISTEN=" + at(ports[1]), "WEIR_STATE_DIR=" + a.StateDir, "WEIR_AGENT_NAME=" + name,
		"WEIR_DELIVERY_TIMEOUT=0s", "WEIR_CONTROL_URL=" + s.URL, "WEIR_ENROLMENT_TOKEN=" + token, "WEIR_KAFKA_BROKERS=127.0.0.1:9",
	}, env...)}
	return a, a.Start(ctx)
}

// Start returns when the agent serves a policy.
func (a *Agent) Start(ctx context.Context) (err error) {
	a.Process, err = start(ctx, a.program, a.log)
	return err
}
