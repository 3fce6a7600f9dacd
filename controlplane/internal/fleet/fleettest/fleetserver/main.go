// Command fleetserver serves a fleettest.World on loopback, so that the agent's
// side can be tested against the real handler from a process of its own. It
// prints its URL, then its certificate where -tls is given, and takes
// commands on stdin, one a line, each answered with the log's version:
//
//	add-key TEXT | revoke TEXT | revoke-agents | settle BOOT FIRST LAST | announce-signing-key | retire-signing-key | stop
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// hello is the first line on stdout.
type hello struct {
	URL         string `json:"url"`
	Certificate string `json:"certificate"`
}

func main() {
	encrypted := flag.Bool("tls", false, "serve HTTP/2 over TLS")
	flag.Parse()
	if err := run(*encrypted); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(encrypted bool) error {
	world := fleettest.NewWorld()
	mux := http.NewServeMux()
	server, first := start(mux, encrypted)
	defer server.Close()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	handler := fleet.NewHandler(world.Config(first.URL, log))
	mux.Handle(handler.Mount())

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- handler.Run(ctx) }()
	if err := json.NewEncoder(os.Stdout).Encode(first); err != nil {
		cancel()
		return err
	}
	serveCommands(world)
	cancel()
	return <-done
}

func start(mux *http.ServeMux, encrypted bool) (*httptest.Server, hello) {
	server := httptest.NewUnstartedServer(mux)
	if !encrypted {
		server.Start()
		return server, hello{URL: server.URL}
	}
	server.EnableHTTP2 = true
	server.StartTLS()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return server, hello{URL: "https://127.0.0.1:" + port, Certificate: string(certificate)}
}

func serveCommands(world *fleettest.World) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		command, argument, _ := strings.Cut(lines.Text(), " ")
		var version int64
		switch command {
		case "add-key":
			world.AddKey(argument)
		case "revoke":
			version = world.Revoke(argument)
		case "revoke-agents":
			world.RevokeAgents()
		case "settle":
			settled := &agentv1.SettledRange{}
			if _, err := fmt.Sscan(argument, &settled.Boot, &settled.FirstSeq, &settled.LastSeq); err == nil {
				world.Settle(settled)
			}
		case "announce-signing-key":
			world.AnnounceKey()
		case "retire-signing-key":
			world.RetireKey()
		case "stop":
			return
		}
		_, _ = fmt.Fprintln(os.Stdout, version)
	}
}
