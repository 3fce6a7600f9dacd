package endtoend_test

import (
	"errors"
	"fmt"
	"math/big"
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

// The steps build on one another, as a newcomer's first hour does.
func TestMainJob(t *testing.T) {
	s := newStack(t)
	s.start()
	app := newApplication(s.env["WEIR_AGENT_URL"], s.env["WEIR_KEY"])
	step := func(name string, run func(*testing.T)) {
		t.Helper()
		if !t.Run(name, run) {
			t.FailNow()
		}
	}

	step("an_application_uses_the_official_sdk", func(t *testing.T) {
		_, plain := app.complete(t, "What does a weir do?")
		_, streamed := app.stream(t, "What does a weir do?")
		if plain.Choices[0].Message.Content != streamed {
			t.Errorf("streamed %q, not streamed %q", streamed, plain.Choices[0].Message.Content)
		}
	})
	step("every_surface_reaches_every_provider", func(t *testing.T) { s.everyDialect(t) })
	step("its_usage_is_sql_within_three_seconds", func(t *testing.T) {
		id, answer := app.complete(t, "Count me exactly.")
		want := row{"demo", "mock", "gpt-4o-mini", "openai_chat", answer.Usage.PromptTokens, answer.Usage.CompletionTokens, 150, 600, false}
		s.expectRow(t, id, want)
		streamID, _ := app.stream(t, "Count me exactly.")
		want.streamed = true
		s.expectRow(t, streamID, want)
	})
	step("what_its_caller_says_is_sql", func(t *testing.T) { s.told(t) })
	step("an_agent_tests_its_provider_and_rehearses_a_request", func(t *testing.T) { s.diagnose(t) })
	step("a_stopped_agent_is_said_to_be_gone", func(t *testing.T) { s.diagnoseNobody(t) })
	step("an_admin_logs_in_and_sees_request_and_spend", func(t *testing.T) { s.browse(t) })
	step("a_hard_budget_is_spent_and_holds", func(t *testing.T) { s.budget(t) })
	step("an_agent_that_goes_for_good_delivers_first", func(t *testing.T) { s.retire(t) })
	step("a_revoked_key_is_refused_within_a_second", func(t *testing.T) { s.revoke(t, app) })
	step("a_second_run_keeps_the_data_and_replaces_the_key", func(t *testing.T) {
		before := s.env["WEIR_KEY"]
		s.stopAndWait(t)
		s.start()
		if s.env["WEIR_KEY"] == before {
			t.Fatal("the revoked demo key was not replaced")
		}
		if n := s.count(t, "SELECT count() AS n FROM requests WHERE outcome = 'ok'"); n < 4 {
			t.Errorf("%d requests after the restart, want those from before", n)
		}
	})
	step("the_control_plane_may_stop", func(t *testing.T) { s.outage(t) })
	step("an_agent_without_a_policy_answers_503", func(t *testing.T) { s.withoutPolicy(t) })
	step("kill_9_of_the_parent_leaves_nothing_in_the_way", func(t *testing.T) {
		if err := s.run.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		s.start()
		newApplication(s.env["WEIR_AGENT_URL"], s.env["WEIR_KEY"]).complete(t, "Still there?")
	})
}

type table struct {
	Columns []struct{ Name, Type string }
	Rows    [][]any
	// RowCount is said of none, too.
	RowCount *int
}

func (s *stack) query(sql string) ([]map[string]any, error) {
	var found table
	if err := s.call("weir.admin.v1.ReportService/RunQuery", map[string]string{"sql": sql}, &found); err != nil {
		return nil, err
	}
	if found.RowCount == nil || *found.RowCount != len(found.Rows) {
		return nil, fmt.Errorf("%d rows came, and it says %v", len(found.Rows), found.RowCount)
	}
	rows := make([]map[string]any, len(found.Rows))
	for i, values := range found.Rows {
		rows[i] = map[string]any{}
		for j, column := range found.Columns {
			rows[i][column.Name] = values[j]
		}
	}
	return rows, nil
}

func (s *stack) count(t *testing.T, sql string) int {
	t.Helper()
	rows, err := s.query(sql)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := fmt.Sscan(fmt.Sprint(rows[0]["n"]), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// row is what must be told of a request: its tokens as the application was told them, and
// what one costs in nano-dollars.
type row struct {
	route, provider, model, surface string
	input, output                   int64
	inputNano, outputNano           int64
	streamed                        bool
}

// expectRow checks one request's row against what the application was told.
func (s *stack) expectRow(t *testing.T, id string, told row) {
	t.Helper()
	var row map[string]any
	s.within(t, 20*time.Second, "the request's row", func() error {
		rows, err := s.query("SELECT * FROM requests WHERE request_id = '" + id + "'")
		if err != nil {
			return err
		}
		if len(rows) != 1 {
			return fmt.Errorf("%d rows for request %s", len(rows), id)
		}
		row = rows[0]
		return nil
	})
	nano := told.input*told.inputNano + told.output*told.outputNano
	want := map[string]string{
		"route": told.route, "provider": told.provider, "model": told.model, "surface": told.surface, "outcome": "ok", "status": "200",
		"input_tokens": fmt.Sprint(told.input), "output_tokens": fmt.Sprint(told.output),
		"streamed": fmt.Sprint(told.streamed), "key_id": s.env["WEIR_KEY_ID"],
	}
	for column, value := range want {
		if got := fmt.Sprint(row[column]); got != value {
			t.Errorf("%s is %s, want %s", column, got, value)
		}
	}
	cost, ok := new(big.Rat).SetString(fmt.Sprint(row["cost_usd"]))
	if !ok || cost.Cmp(big.NewRat(nano, 1e9)) != 0 {
		t.Errorf("cost_usd is %v, want %d nano-dollars", row["cost_usd"], nano)
	}
	for _, column := range []string{"duration_us", "time_to_first_token_us", "policy_version"} {
		if got := fmt.Sprint(row[column]); got == "0" || got == "<nil>" {
			t.Errorf("%s is %s, want more", column, got)
		}
	}
}

func (s *stack) revoke(t *testing.T, app *application) {
	t.Helper()
	var answer struct{ Key struct{ RevokedAt string } }
	revoke := map[string]any{"id": s.env["WEIR_KEY_ID"], "reason": "end-to-end test"}
	if err := s.call("weir.admin.v1.KeyService/RevokeKey", revoke, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Key.RevokedAt == "" {
		t.Error("the answer does not say when it was revoked")
	}
	since := time.Now()
	s.within(t, time.Second, "401 key_revoked", func() error {
		status, code, _ := app.refused(t)
		if status != http.StatusUnauthorized || code != "key_revoked" {
			return fmt.Errorf("status %d, code %q", status, code)
		}
		return nil
	})
	t.Logf("refused %v after the revocation was answered", time.Since(since).Round(time.Millisecond))
}

func (s *stack) outage(t *testing.T) {
	t.Helper()
	app := newApplication(s.env["WEIR_AGENT_URL"], s.env["WEIR_KEY"])
	var ids []string
	ask := func(content string) {
		id, _ := app.complete(t, content)
		ids = append(ids, id)
	}
	ask("before")
	s.part("stop", "controlplane")
	ask("the control plane is away")
	id, _ := app.stream(t, "and streams go on")
	ids = append(ids, id)

	s.part("stop", "agent")
	s.part("start", "agent")
	s.within(t, 15*time.Second, "the restarted agent serves", func() error {
		response, err := http.Get(s.env["WEIR_AGENT_URL"] + "/v1/models")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			return errors.New(response.Status)
		}
		return nil
	})
	ask("an agent restart later")

	unknown := newApplication(s.env["WEIR_AGENT_URL"], "weir_nobodyknowsthiskey")
	if status, code, message := unknown.refused(t); status != http.StatusUnauthorized || code != "key_unknown" {
		t.Errorf("an unknown key got %d %q %q", status, code, message)
	}
	if age := unknown.last.Header.Get("x-weir-policy-age"); age == "" {
		t.Error("the refusal does not say how old the policy is")
	}

	s.part("start", "controlplane")
	s.within(t, 30*time.Second, "all usage of the outage", func() error {
		rows, err := s.query("SELECT request_id FROM requests WHERE request_id IN ('" + strings.Join(ids, "','") + "')")
		if err != nil {
			return err
		}
		if len(rows) != len(ids) {
			return fmt.Errorf("%d of %d requests", len(rows), len(ids))
		}
		return nil
	})
	s.within(t, 15*time.Second, "completeness shows no hole", func() error {
		rows, err := s.query("SELECT boot, last_seq, rows, complete FROM completeness WHERE last_seq > 0")
		if err != nil {
			return err
		}
		if len(rows) < 3 {
			return fmt.Errorf("%d boots, want the 3 of this test", len(rows))
		}
		for _, row := range rows {
			if row["complete"] != true || row["rows"] != row["last_seq"] {
				return fmt.Errorf("incomplete: %v", row)
			}
		}
		return nil
	})
}

func (s *stack) stopAndWait(t *testing.T) {
	t.Helper()
	if err := s.run.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	s.within(t, 30*time.Second, "everything stopped", func() error {
		if _, err := os.Stat(filepath.Join(s.dir, "env")); err == nil {
			return errors.New("the env file is still there")
		}
		return syscallGone(s.run.Process.Pid)
	})
}

func syscallGone(pid int) error {
	if syscall.Kill(pid, 0) == nil {
		return fmt.Errorf("process %d lives", pid)
	}
	return nil
}

// withoutPolicy runs an agent that never met its control plane.
func (s *stack) withoutPolicy(t *testing.T) {
	t.Helper()
	port, admin := freePort(t), freePort(t)
	agent := exec.Command(filepath.Join(build.Folder(s.root), "weir-agent"))
	agent.Env = []string{
		fmt.Sprintf("WEIR_LISTEN=127.0.0.1:%d", port), fmt.Sprintf("WEIR_ADMIN_LISTEN=127.0.0.1:%d", admin),
		"WEIR_CONTROL_URL=http://127.0.0.1:1", "WEIR_ENROLMENT_TOKEN=weiret_none", "WEIR_DRAIN_DELAY=0s",
		"WEIR_STATE_DIR=" + filepath.Join(t.TempDir(), "agent"), "WEIR_KAFKA_BROKERS=127.0.0.1:1",
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = agent.Process.Signal(syscall.SIGTERM)
		if err := agent.Wait(); err != nil {
			t.Errorf("the agent ended badly: %v", err)
		}
	}()
	app := newApplication(fmt.Sprintf("http://127.0.0.1:%d", port), s.env["WEIR_KEY"])
	s.within(t, 10*time.Second, "503 no_policy", func() error {
		response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/healthz", admin))
		if err != nil {
			return err
		}
		return response.Body.Close()
	})
	if status, code, _ := app.refused(t); status != http.StatusServiceUnavailable || code != "no_policy" {
		t.Errorf("status %d, code %q", status, code)
	}
}
