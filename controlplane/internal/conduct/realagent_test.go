package conduct_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	"github.com/weirhq/weir/controlplane/internal/token"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// realAgent is weir-agent in a process of its own: the planes may not import each other.
type realAgent struct {
	t       *testing.T
	path    string
	environ []string
	url     string
	command *exec.Cmd
}

func buildAgent(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weir-agent")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/weirhq/weir/dataplane/cmd/weir-agent").CombinedOutput(); err != nil {
		t.Fatalf("build weir-agent: %v: %s", err, out)
	}
	return path
}

func (in *installation) run(path, upstream string) *realAgent {
	in.t.Helper()
	port := freePort(in.t)
	a := &realAgent{t: in.t, path: path, url: fmt.Sprintf("http://127.0.0.1:%d", port), environ: append(os.Environ(),
		fmt.Sprintf("WEIR_LISTEN=127.0.0.1:%d", port), fmt.Sprintf("WEIR_ADMIN_LISTEN=127.0.0.1:%d", freePort(in.t)),
		"WEIR_CONTROL_URL="+in.front.URL, "WEIR_ENROLMENT_TOKEN="+fleettest.Token, "WEIR_STATE_DIR="+filepath.Join(in.t.TempDir(), "agent"),
		"WEIR_KAFKA_BROKERS=127.0.0.1:1", "WEIR_ALLOW_UPSTREAMS="+upstream+"=env://WEIR_SECRET_P", "WEIR_SECRET_P=secret",
	)}
	a.start()
	in.t.Cleanup(a.kill)
	return a
}

func (a *realAgent) start() {
	a.t.Helper()
	a.command = exec.Command(a.path)
	a.command.Env = a.environ
	if err := a.command.Start(); err != nil {
		a.t.Fatal(err)
	}
}

func (a *realAgent) kill() {
	_ = a.command.Process.Kill()
	_ = a.command.Wait()
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// ask sends a request and returns the status, and which model it went to.
func (a *realAgent) ask(secret string) (status int, model string) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, a.url+"/v1/chat/completions",
		strings.NewReader(`{"model":"chat","messages":[{"role":"user","content":"hello"}]}`))
	if err != nil {
		a.t.Error(err)
		return 0, ""
	}
	request.Header.Set("Authorization", "Bearer "+secret)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, strings.TrimPrefix(response.Header.Get("X-Weir-Target"), "p/")
}

func (a *realAgent) has(secret, model string) bool {
	_, got := a.ask(secret)
	return got == model
}

// upstream answers every model but those that begin with "bad".
func upstream(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Model string }
		_ = json.NewDecoder(r.Body).Decode(&asked)
		w.Header().Set("Content-Type", "application/json")
		if strings.HasPrefix(asked.Model, "bad") {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, `{"error":{"message":"no"}}`)
			return
		}
		fmt.Fprintf(w, `{"id":"1","object":"chat.completion","created":1,"model":%q,"choices":[{"index":0,"finish_reason":"stop",`+
			`"message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`, asked.Model)
	}))
	t.Cleanup(s.Close)
	return s
}

// traffic asks all agents again and again until stop.
func traffic(agents []*realAgent, secret string) (stop func()) {
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for _, a := range agents {
		running.Go(func() {
			for ctx.Err() == nil {
				a.ask(secret)
				pause(ctx, 10*time.Millisecond)
			}
		})
	}
	return sync.OnceFunc(func() { cancel(); running.Wait() })
}

func (in *installation) provide(base string) {
	in.t.Helper()
	in.commit(eventlog.Change{Subject: in.provider, Body: &eventv1.ProviderUpdated{Settings: &eventv1.ProviderSettings{
		Name: "p", Dialect: eventv1.Dialect_DIALECT_OPENAI, BaseUrl: base, CredentialRef: "env://WEIR_SECRET_P",
	}}})
}

// A secret whose overlap is ended is refused within a second, and the key works on with the
// other; an agent that restarts has not forgotten it.
func TestAnAgentRefusesAnEndedSecret(t *testing.T) {
	in := install(t, quick)
	in.start()
	served := upstream(t)
	in.provide(served.URL + "/v1")
	old, oldHash, _, oldErr := token.New(token.Key)
	fresh, freshHash, _, freshErr := token.New(token.Key)
	if err := errors.Join(oldErr, freshErr); err != nil {
		t.Fatal(err)
	}
	key := uuid.New()
	in.commit(eventlog.Change{Subject: key, Body: &eventv1.KeyCreated{ProjectId: uuid.NewString(), Name: "k", Sha256: oldHash[:], Suffix: "old1"}})
	a := in.run(buildAgent(t), served.URL)
	eventually(t, "the first policy is there", func() bool { return a.has(old, "first") })
	in.commit(eventlog.Change{Subject: key, Body: &eventv1.KeyRotated{Sha256: freshHash[:], Suffix: "new2", PreviousExpiresAt: timestamppb.New(time.Now().Add(time.Hour))}})
	eventually(t, "both secrets work", func() bool { return a.has(old, "first") && a.has(fresh, "first") })

	in.commit(eventlog.Change{Subject: key, Body: &eventv1.KeyOverlapEnded{Reason: "leaked", EndedAt: timestamppb.New(time.Now().Add(time.Minute))}})
	began := time.Now() // and the agent's clock is a minute behind the control plane's
	refuses := func() bool {
		status, _ := a.ask(old)
		return status == http.StatusUnauthorized
	}
	eventually(t, "the old secret is refused", refuses)
	if took := time.Since(began); took > time.Second {
		t.Errorf("refused after %v", took)
	}
	if !a.has(fresh, "first") {
		t.Error("the new secret is refused, too")
	}
	a.kill()
	a.start()
	eventually(t, "the agent is back", func() bool { return a.has(fresh, "first") })
	if !refuses() {
		t.Error("after a restart the old secret opens the key")
	}
}

// The whole of it with agents as they are: real requests fail, real policies are
// refused, real processes die.
func TestRealAgents(t *testing.T) {
	settings := quick
	settings.MinRequests = 20
	in := install(t, settings)
	in.start()
	served := upstream(t)
	in.provide(served.URL + "/v1")
	secret, hash, _, err := token.New(token.Key)
	if err != nil {
		t.Fatal(err)
	}
	key := uuid.New()
	in.commit(eventlog.Change{Subject: key, Body: &eventv1.KeyCreated{ProjectId: uuid.NewString(), Name: "k", Sha256: hash[:], Suffix: "abcd"}})
	path := buildAgent(t)
	var agents []*realAgent
	for n := range 3 {
		agents = append(agents, in.run(path, served.URL))
		eventually(t, "the agent has joined", func() bool { return len(in.events("AgentEnrolled")) == n+1 })
	}
	all := func(what, model string) {
		t.Helper()
		eventually(t, what, func() bool {
			count := 0
			for _, a := range agents {
				if a.has(secret, model) {
					count++
				}
			}
			return count == len(agents)
		})
	}
	all("the first policy is there", "first")
	eventually(t, "nothing is under way", func() bool { return in.stage().Open() == nil })
	stop := traffic(agents, secret)
	defer stop()
	held := func(cause eventv1.RolloutHoldCause) {
		t.Helper()
		eventually(t, "held: "+cause.String(), func() bool {
			open := in.stage().Open()
			return open != nil && open.State == rollout.Held && open.Hold.Cause == cause
		})
		t.Log(in.stage().Open().Hold.Reason)
	}

	in.reroute("bad")
	held(eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_ERROR_RATE)
	if _, model := agents[0].ask(secret); model != "bad" {
		t.Errorf("the canary serves %s", model)
	}
	for _, a := range agents[1:] {
		if status, model := a.ask(secret); status != http.StatusOK || model != "first" {
			t.Errorf("another serves %s with status %d", model, status)
		}
	}
	good := in.reroute("good")
	all("the mended configuration is there", "good")

	in.provide("ftp://upstream") // the API would not let that through
	held(eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_REJECTED)
	all("nobody took it", "good")
	in.provide(served.URL + "/v1")
	eventually(t, "it is over", func() bool { return in.stage().Open() == nil })

	in.reroute("next")
	eventually(t, "the canary has it", func() bool { return agents[0].has(secret, "next") })
	agents[0].kill()
	agents[0].start()
	eventually(t, "it has it still", func() bool { return agents[0].has(secret, "next") })
	all("and all the others in the end", "next")

	stop()
	in.goBack(good)
	all("gone back", "good")
	began := time.Now()
	in.revoke(key)
	eventually(t, "the key is revoked everywhere", func() bool {
		for _, a := range agents {
			if status, _ := a.ask(secret); status != http.StatusUnauthorized {
				return false
			}
		}
		return true
	})
	if took := time.Since(began); took > time.Second {
		t.Errorf("the revocation took %v", took)
	}
}
