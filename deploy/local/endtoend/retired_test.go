package endtoend_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/build"
)

// joined is an agent of the demo's gateway beside the one that the stack runs.
type joined struct {
	*exec.Cmd
	url, state, log string
}

// join starts one and waits until it serves.
func (s *stack) join(t *testing.T, name string, env ...string) *joined {
	t.Helper()
	gateway, _ := s.ids(t)
	var token struct{ Token string }
	if err := s.call("weir.admin.v1.GatewayService/CreateEnrolmentToken", map[string]any{"gatewayId": gateway}, &token); err != nil {
		t.Fatal(err)
	}
	port, admin := freePort(t), freePort(t)
	dir := t.TempDir()
	j := &joined{url: fmt.Sprintf("http://127.0.0.1:%d", port), state: filepath.Join(dir, name), log: filepath.Join(dir, name+".log")}
	log, err := os.Create(j.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	j.Cmd = exec.Command(filepath.Join(build.Folder(s.root), "weir-agent"))
	j.Stderr = log
	j.Env = append([]string{
		fmt.Sprintf("WEIR_LISTEN=127.0.0.1:%d", port), fmt.Sprintf("WEIR_ADMIN_LISTEN=127.0.0.1:%d", admin),
		"WEIR_CONTROL_URL=" + s.env["WEIR_URL"], "WEIR_ENROLMENT_TOKEN=" + token.Token, "WEIR_DRAIN_DELAY=0s", "WEIR_AGENT_NAME=" + name,
		"WEIR_STATE_DIR=" + j.state, "WEIR_KAFKA_BROKERS=127.0.0.1:1",
		"WEIR_ALLOW_UPSTREAMS=" + s.env["WEIR_MOCK_URL"] + "=env://WEIR_SECRET_MOCK", "WEIR_SECRET_MOCK=sk-mock",
	}, env...)
	if err := j.Start(); err != nil {
		t.Fatal(err)
	}
	s.within(t, 30*time.Second, name+" serves", func() error {
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
	return j
}

func (s *stack) brokers() string {
	for _, v := range s.settings {
		if port, ok := strings.CutPrefix(v, "WEIR_PORT_KAFKA="); ok {
			return "127.0.0.1:" + port
		}
	}
	s.t.Fatal("no port of Kafka")
	return ""
}

// retire takes an agent away for ever, its disk with it, right after its last request: all
// that it served is in ClickHouse, and completeness says that its boot is over and whole.
func (s *stack) retire(t *testing.T) {
	t.Helper()
	agent := s.join(t, "edge-3", "WEIR_KAFKA_BROKERS="+s.brokers(), "WEIR_DELIVERY_TIMEOUT=30s")
	app := newApplication(agent.url, s.env["WEIR_KEY"])
	const requests = 25
	var ids []string
	for range requests {
		id, _ := app.complete(t, "Goodbye.")
		ids = append(ids, id)
	}
	if err := agent.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := agent.Wait(); err != nil {
		t.Errorf("the agent ended badly: %v", err)
	}
	if err := os.RemoveAll(agent.state); err != nil {
		t.Fatal(err)
	}
	said, err := os.ReadFile(agent.log)
	if err != nil || !strings.Contains(string(said), "all usage is delivered and confirmed") {
		t.Errorf("%v: it does not say that all is delivered:\n%s", err, said)
	}
	if n := s.count(t, "SELECT count() AS n FROM requests WHERE request_id IN ('"+strings.Join(ids, "','")+"')"); n != requests {
		t.Errorf("%d of %d requests are rows", n, requests)
	}
	s.within(t, 15*time.Second, "completeness has the closed boot", func() error {
		rows, err := s.query(fmt.Sprintf("SELECT boot, last_seq, rows, closed, complete FROM completeness WHERE last_seq = %d AND closed", requests))
		if err != nil {
			return err
		}
		if len(rows) != 1 || rows[0]["complete"] != true || fmt.Sprint(rows[0]["rows"]) != fmt.Sprint(requests) {
			return fmt.Errorf("%v", rows)
		}
		return nil
	})
}
