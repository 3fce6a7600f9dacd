package endtoend_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/deploy/local/build"
)

// hashed is how usage names an end user, as the agent's own command says.
func (s *stack) hashed(t *testing.T, user string) string {
	t.Helper()
	command := exec.Command(filepath.Join(build.Folder(s.root), "weir-agent"), "usage", "hash-user")
	command.Env, command.Stdin = []string{"WEIR_STATE_DIR=" + filepath.Join(s.dir, "agent")}, strings.NewReader(user)
	said, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(said))
}

// told sends a request whose caller says who it is, and finds it all in SQL and in the
// request's details.
func (s *stack) told(t *testing.T) {
	t.Helper()
	body := `{"model":"demo","messages":[{"role":"user","content":"Who am I?"}]}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.env["WEIR_AGENT_URL"]+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + s.env["WEIR_KEY"], "Content-Type": "application/json",
		"X-Weir-User": "ada", "X-Weir-Run": "run-7", "X-Weir-Metadata": `{"team":"search"}`,
	} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	id := response.Header.Get("X-Weir-Request-Id")
	var rows []map[string]any
	s.within(t, 10*time.Second, "the request's row", func() error {
		rows, err = s.query(`SELECT r.end_user, r.run_id, r.labels, r.kind, r.candidates, a.cause FROM requests AS r
			JOIN attempts AS a USING (request_id) WHERE request_id = '` + id + `'`)
		if err == nil && len(rows) != 1 {
			err = fmt.Errorf("%d rows for request %s", len(rows), id)
		}
		return err
	})
	ada := s.hashed(t, "ada")
	want := map[string]any{
		"end_user": ada, "run_id": "run-7", "labels": map[string]any{"team": "search"}, "kind": "request", "cause": "first",
		"candidates": []any{map[string]any{"provider": "mock", "model": "gpt-4o-mini", "verdict": "chosen"}},
	}
	got := map[string]any{}
	for name, value := range rows[0] {
		got[name[strings.LastIndexByte(name, '.')+1:]] = value
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	var details struct {
		Request  struct{ EndUser, Surface string }
		Attempts []struct{ Cause, Outcome string }
	}
	if err := s.call("weir.admin.v1.ReportService/GetRequest", map[string]string{"requestId": id}, &details); err != nil {
		t.Fatal(err)
	}
	if len(details.Attempts) != 1 || details.Attempts[0].Cause != "first" || details.Attempts[0].Outcome != "ok" || details.Request.EndUser != ada {
		t.Errorf("details %+v", details)
	}
}
