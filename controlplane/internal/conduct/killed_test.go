package conduct_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/conduct"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rollout"
)

// What the process of its own is told: the database, and under which URL agents know it.
const (
	postgresVariable = "WEIR_CONDUCT_POSTGRES"
	frontVariable    = "WEIR_CONDUCT_FRONT"
)

func TestMain(m *testing.M) {
	if os.Getenv(postgresVariable) == "" {
		os.Exit(m.Run())
	}
	if err := serveUntilKilled(os.Getenv(postgresVariable), os.Getenv(frontVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// oneKey is of all processes of an installation.
var oneKey = [ed25519.SeedSize]byte{1}

func serveUntilKilled(database, front string) error {
	ctx := context.Background()
	db, err := postgres.Open(ctx, database)
	if err != nil {
		return err
	}
	store, world := readmodel.New(db), fleettest.NewWorld()
	world.SignFrom(oneKey)
	handler, _ := controlPlane(ctx, db, store, command.NewRunner(pglog.New(db, readmodel.Project), store), world, front)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, handler)
}

// startApart runs the control plane in a process of its own; kill is kill -9.
func (in *installation) startApart() *process {
	in.t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), postgresVariable+"="+in.url, frontVariable+"="+in.front.URL)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		in.t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		in.t.Fatalf("the control plane says nothing: %v", err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: strings.TrimSpace(address)})
	proxy.FlushInterval = -1
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	p := &process{handler: proxy}
	p.kill = sync.OnceFunc(func() {
		in.front.leave(p)
		_ = child.Process.Kill()
		_ = child.Wait()
	})
	in.front.join(p)
	in.t.Cleanup(p.kill)
	return p
}

// The only control plane dies at each step, with all that it had in memory: the next one
// goes on where it was, and decides nothing twice.
func TestKilledAtEachStep(t *testing.T) {
	in := install(t, quick)
	alone := in.startApart()
	again := func() {
		t.Helper()
		alone.kill()
		alone = in.startApart()
	}
	agents := in.fleetOf(10)
	in.reroute("next")
	again()
	eventually(t, "the canary has it", func() bool { return having(agents, "next") == 1 })
	again()
	eventually(t, "a step has it", func() bool { return having(agents, "next") == 3 })
	again()
	in.steer(func(s conduct.Scene) ([]eventlog.Change, error) { return s.Stage.Last.HoldAt("to see") })
	again()
	eventually(t, "they are back", func() bool {
		return in.count(`agent_status WHERE last_seen_at > now() - interval '1 s'`) == len(agents)
	})
	if last := in.stage().Last; last.State != rollout.Held || len(last.Agents) != 3 || having(agents, "next") != 3 {
		t.Errorf("held: %+v, %d have it", last, having(agents, "next"))
	}
	in.steer(func(s conduct.Scene) ([]eventlog.Change, error) { return s.Stage.Last.Resume() })
	again()
	eventually(t, "it is over", func() bool { return in.stage().Last.State == rollout.Finished })
	again()
	in.all(agents, "next")
	for kind, want := range map[string]int{"RolloutStarted": 1, "RolloutRestarted": 0, "RolloutAdvanced": 1, "RolloutFinished": 1} {
		if got := len(in.events(kind)); got != want {
			t.Errorf("%s: %d times, want %d", kind, got, want)
		}
	}
	in.oneRootEach(agents)
}
