package endtoend_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

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
	for _, name := range []string{"WEIR_URL", "WEIR_DEMO_EMAIL", "WEIR_DEMO_PASSWORD", "WEIR_TOKEN"} {
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
	var token struct{ Token string }
	if err := s.call("weir.admin.v1.GatewayService/CreateEnrolmentToken", map[string]any{"gatewayId": gateway}, &token); err != nil {
		t.Fatal(err)
	}
	port, admin := freePort(t), freePort(t)
	agent := exec.Command(filepath.Join(build.Folder(s.root), "weir-agent"))
	agent.Env = []string{
		fmt.Sprintf("WEIR_LISTEN=127.0.0.1:%d", port), fmt.Sprintf("WEIR_ADMIN_LISTEN=127.0.0.1:%d", admin),
		"WEIR_CONTROL_URL=" + s.env["WEIR_URL"], "WEIR_ENROLMENT_TOKEN=" + token.Token, "WEIR_DRAIN_DELAY=0s", "WEIR_AGENT_NAME=edge-2",
		"WEIR_STATE_DIR=" + filepath.Join(t.TempDir(), "edge-2"), "WEIR_KAFKA_BROKERS=127.0.0.1:1",
		"WEIR_ALLOW_UPSTREAMS=" + s.env["WEIR_MOCK_URL"] + "=env://WEIR_SECRET_MOCK", "WEIR_SECRET_MOCK=sk-mock",
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	s.within(t, 30*time.Second, "the second agent serves", func() error {
		response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", admin))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	})
	return func() { s.take(t, agent, gateway) }
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
