package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func sourced(t *testing.T, dir, variable string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", `. "$1" && printf %s "$`+variable+`"`, "sh", filepath.Join(dir, "env")).Output()
	must(t, err)
	return string(out)
}

func TestRun(t *testing.T) {
	l := newLocal(t)
	r := l.run().ready()

	t.Run("writes_an_env_file_for_its_owner", func(t *testing.T) {
		info, err := os.Stat(filepath.Join(l.dir, "env"))
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
		for variable, want := range map[string]string{
			"WEIR_URL":           fmt.Sprintf("http://127.0.0.1:%d", l.ports["CONTROL"]),
			"WEIR_AGENT_URL":     fmt.Sprintf("http://127.0.0.1:%d", l.ports["AGENT"]),
			"WEIR_TOKEN":         "it's",
			"WEIR_KAFKA_BROKERS": fmt.Sprintf("127.0.0.1:%d", l.ports["KAFKA"]),
		} {
			if got := sourced(t, l.dir, variable); got != want {
				t.Errorf("%s is %q, want %q", variable, got, want)
			}
		}
	})
	t.Run("shows_a_newcomer_what_to_do", func(t *testing.T) {
		for _, want := range []string{"ada@example.com", "weir_key", fmt.Sprintf("curl http://127.0.0.1:%d/v1/chat/completions", l.ports["AGENT"])} {
			if !strings.Contains(r.output(), want) {
				t.Errorf("no %q in:\n%s", want, r.output())
			}
		}
	})
	t.Run("restarts_a_part_that_crashes", func(t *testing.T) {
		for _, part := range []string{"agent", "kafka", "clickhouse", "postgres"} {
			before := l.pid(part)
			must(t, syscall.Kill(before, syscall.SIGKILL))
			within(t, 20*time.Second, func() error {
				out, err := l.do("status", part)
				if err != nil || !strings.Contains(out, " ready ") || l.pid(part) == before {
					return fmt.Errorf("not ready: %w: %s", err, out)
				}
				return nil
			})
		}
	})
	t.Run("keeps_a_stopped_part_down_until_it_is_started", func(t *testing.T) {
		if out, err := l.do("stop", "agent"); err != nil || !strings.Contains(out, "stopped") {
			t.Fatalf("%v: %s", err, out)
		}
		if err := dial(t.Context(), sourced(t, l.dir, "WEIR_AGENT_URL")); err == nil {
			t.Fatal("the agent still listens")
		}
		if out, err := l.do("start", "agent"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		must(t, dial(t.Context(), sourced(t, l.dir, "WEIR_AGENT_URL"))) // start returns when it is ready
	})
	t.Run("names_the_parts_when_one_is_unknown", func(t *testing.T) {
		for _, verb := range []string{"stop", "start", "status"} {
			if out, err := l.do(verb, "nosuch"); err == nil || !strings.Contains(out, "controlplane") {
				t.Fatalf("%s: %v: %s", verb, err, out)
			}
		}
	})
	t.Run("refuses_a_second_run_in_the_folder", func(t *testing.T) {
		out, err := l.do("run")
		if err == nil || !strings.Contains(out, fmt.Sprintf("pid %d", r.cmd.Process.Pid)) || !strings.Contains(out, "WEIR_LOCAL_DIR") {
			t.Fatalf("%v: %s", err, out)
		}
		if _, err := os.Stat(filepath.Join(l.dir, "env")); err != nil {
			t.Fatalf("the first run lost its env file: %v", err)
		}
	})
	t.Run("keeps_a_living_runs_data_from_clean", func(t *testing.T) {
		if out, err := l.do("clean"); err == nil || !strings.Contains(out, "stop the run first") {
			t.Fatalf("%v: %s", err, out)
		}
	})
	t.Run("starts_again_after_kill_9", func(t *testing.T) {
		password := sourced(t, l.dir, "WEIR_POSTGRES_URL")
		must(t, r.cmd.Process.Kill())
		<-r.ended
		if out, err := l.do("status"); err == nil || exists(filepath.Join(l.dir, "env")) {
			t.Errorf("status leaves the env file of a killed run: %v: %s", err, out)
		}
		for range 2 {
			r = l.run().ready()
			r.kill()
		}
		r = l.run().ready()
		if sourced(t, l.dir, "WEIR_POSTGRES_URL") != password {
			t.Fatal("the data was not kept")
		}
	})
	t.Run("stops_all_in_reverse_on_ctrl_c", func(t *testing.T) {
		pid := l.pid("postgres")
		r.stop()
		if _, err := os.Stat(filepath.Join(l.dir, "env")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the env file is still there: %v", err)
		}
		if err := syscall.Kill(pid, 0); err == nil {
			t.Error("postgres outlived its parent")
		}
		if r.cmd.ProcessState.ExitCode() != 0 {
			t.Errorf("exit code %d", r.cmd.ProcessState.ExitCode())
		}
	})
	t.Run("clean_removes_the_data", func(t *testing.T) {
		if out, err := l.do("clean"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if _, err := os.Stat(l.dir); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("the folder is still there: %v", err)
		}
		if out, err := l.do("status"); err == nil || !strings.Contains(out, "make run") {
			t.Fatalf("%v: %s", err, out)
		}
	})
}

func TestTakenPort(t *testing.T) {
	t.Run("names_port_holder_and_variable", func(t *testing.T) {
		l := newLocal(t)
		taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", l.ports["MOCK"]))
		must(t, err)
		defer taken.Close()
		out, err := l.do("run")
		if err == nil {
			t.Fatal("it started")
		}
		for _, want := range []string{
			fmt.Sprint(l.ports["MOCK"]), "mock upstream", fmt.Sprintf("process %d", os.Getpid()), filepath.Base(os.Args[0]), "WEIR_PORT_MOCK",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in %s", want, out)
			}
		}
	})
}

func TestExternalEngines(t *testing.T) {
	t.Run("are_used_and_not_started", func(t *testing.T) {
		first := newLocal(t)
		first.run().ready()
		second := newLocal(t,
			"WEIR_EXTERNAL_POSTGRES_URL="+sourced(t, first.dir, "WEIR_POSTGRES_URL"),
			"WEIR_EXTERNAL_KAFKA_URL=kafka://"+sourced(t, first.dir, "WEIR_KAFKA_BROKERS"),
			"WEIR_EXTERNAL_CLICKHOUSE_URL="+sourced(t, first.dir, "WEIR_CLICKHOUSE_URL"),
			"WEIR_EXTERNAL_CLICKHOUSE_REPORT_URL="+sourced(t, first.dir, "WEIR_CLICKHOUSE_URL"),
			"WEIR_EXTERNAL_MOCK_URL="+sourced(t, first.dir, "WEIR_MOCK_URL"),
			"WEIR_CACHE_DIR="+filepath.Join(t.TempDir(), "unused"),
		)
		second.run().ready()
		for _, v := range []string{"WEIR_POSTGRES_URL", "WEIR_KAFKA_BROKERS", "WEIR_CLICKHOUSE_URL", "WEIR_MOCK_URL"} {
			if a, b := sourced(t, first.dir, v), sourced(t, second.dir, v); a != b {
				t.Errorf("%s: %s is not %s", v, b, a)
			}
		}
		out, err := second.do("status")
		must(t, err)
		for _, part := range []string{"postgres", "kafka", "clickhouse", "mock"} {
			if strings.Contains(out, part) {
				t.Errorf("%s runs:\n%s", part, out)
			}
		}
	})
}

func TestBadSettings(t *testing.T) {
	t.Run("are_all_named_at_once_without_their_passwords", func(t *testing.T) {
		l := newLocal(t, "WEIR_PORT_AGENT=x", "WEIR_PORT_CONTROL=70000", "WEIR_EXTERNAL_POSTGRES_URL=mysql://u:hunter2@h/db")
		out, err := l.do("run")
		if err == nil || strings.Contains(out, "hunter2") {
			t.Fatalf("%v: %s", err, out)
		}
		for _, want := range []string{"WEIR_PORT_AGENT", "WEIR_PORT_CONTROL", "WEIR_EXTERNAL_POSTGRES_URL"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in %s", want, out)
			}
		}
	})
}
