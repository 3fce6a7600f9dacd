package endtoend_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/weirhq/weir/deploy/local/build"
)

// browse runs the browser's tests against the stack and a second agent: with one alone
// a rollout has nobody to wait for.
func (s *stack) browse(t *testing.T) {
	t.Helper()
	defer s.secondAgent(t)()
	cmd := exec.Command("npm", "run", "--silent", "e2e")
	cmd.Dir = filepath.Join(s.root, "web")
	cmd.Env = os.Environ()
	cmd.Env = append(cmd.Env, "WEIR_LOCAL_DIR="+s.dir, "WEIR_AGENT="+filepath.Join(build.Folder(s.root), "weir-agent"))
	for _, name := range []string{"WEIR_URL", "WEIR_DEMO_EMAIL", "WEIR_DEMO_PASSWORD", "WEIR_TOKEN", "WEIR_MOCK_URL"} {
		cmd.Env = append(cmd.Env, name+"="+s.env[name])
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("browser: %v", err)
	}
}

// secondAgent joins the demo's gateway; the returned function takes it away for ever.
func (s *stack) secondAgent(t *testing.T) (leave func()) {
	t.Helper()
	gateway, _ := s.ids(t)
	agent := s.join(t, "edge-2")
	return func() { s.take(t, agent.Cmd, gateway) }
}

// take revokes the agent, which has served nothing, and stops it.
func (s *stack) take(t *testing.T, agent *exec.Cmd, gateway string) {
	t.Helper()
	var fleet struct{ Agents []struct{ ID, Name string } }
	if err := s.call("weir.admin.v1.GatewayService/ListAgents", map[string]any{"gatewayId": gateway}, &fleet); err != nil {
		t.Error(err)
	}
	for _, a := range fleet.Agents {
		if a.Name != "edge-2" {
			continue
		}
		if err := s.call("weir.admin.v1.GatewayService/RevokeAgent", map[string]any{"id": a.ID}, &struct{}{}); err != nil {
			t.Error(err)
		}
	}
	_ = agent.Process.Signal(syscall.SIGTERM)
	if err := agent.Wait(); err != nil {
		t.Errorf("the second agent ended badly: %v", err)
	}
}
