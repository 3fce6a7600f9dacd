// Command fleetserver serves a fleettest.World on loopback, so that the agent's
// side can be tested against the real handler from a process of its own. It
// prints its URL, then its certificate where -tls is given, and takes
// commands on stdin, one a line, each answered with the log's version, and a dry run of
// a model with what came of it, as JSON:
//
//	add-key TEXT | revoke TEXT | revoke-agents | settle BOOT FIRST LAST | announce-signing-key | retire-signing-key | dry-run MODEL | stop
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// hello is the first line on stdout.
type hello struct {
	URL         string `json:"url"`
	Certificate string `json:"certificate"`
}

func main() {
	encrypted := flag.Bool("tls", false, "serve HTTP/2 over TLS")
	also := flag.String("also", "", "another URL that agents know it under")
	flag.Parse()
	if err := run(*encrypted, *also); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(encrypted bool, also string) error {
	world := fleettest.NewWorld()
	mux := http.NewServeMux()
	server, first := start(mux, encrypted)
	defer server.Close()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	config := world.Config(first.URL, log)
	config.Leases = lavish{}
	config.Authenticator = fleet.NewAuthenticator(world, []string{first.URL, also}, log)
	handler := fleet.NewHandler(config)
	mux.Handle(handler.Mount())

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- handler.Run(ctx) }()
	if err := json.NewEncoder(os.Stdout).Encode(first); err != nil {
		cancel()
		return err
	}
	serveCommands(ctx, world)
	cancel()
	return <-done
}

// lavish is a ledger that grants all that it is asked for, to whom it is asked by.
type lavish struct{}

func (lavish) Lease(_ context.Context, agent gateway.Agent, request *agentv1.LeaseRequest) (*agentv1.LeaseResponse, error) {
	answer := &agentv1.LeaseResponse{}
	for _, h := range request.GetHoldings() {
		answer.Grants = append(answer.Grants, &agentv1.Grant{Window: agent.ID.String(), Granted: h.GetGranted() + h.GetWant() + h.GetNeed(), Spent: h.GetSpent()})
	}
	return answer, nil
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

// rehearsed is what came of a dry run.
type rehearsed struct {
	Code   string `json:"code"`   // of the agent's refusal
	Reason string `json:"reason"` // why no agent answered
}

func rehearse(ctx context.Context, world *fleettest.World, model string) (r rehearsed) {
	state, _ := world.PolicyState(ctx, fleet.PolicyQuery{})
	asker := fleet.Asker{Desk: &world.Asks, Log: slog.New(slog.DiscardHandler)}
	answered, err := asker.Ask(ctx, fleet.Question{OrganizationID: state.OrganizationID, GatewayID: state.Gateway.ID,
		Ask: &agentv1.Ask{Question: &agentv1.Ask_DryRun{DryRun: &agentv1.DryRun{Model: model}}}})
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		r.Reason = known.Reason
	}
	r.Code = answered.Answer.GetDryRun().GetRefusal().GetCode()
	return r
}

func serveCommands(ctx context.Context, world *fleettest.World) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		command, argument, _ := strings.Cut(lines.Text(), " ")
		var answer any = int64(0)
		switch command {
		case "add-key":
			world.AddKey(argument)
		case "revoke":
			answer = world.Revoke(argument)
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
		case "dry-run":
			answer = rehearse(ctx, world, argument)
		case "stop":
			return
		}
		_ = json.NewEncoder(os.Stdout).Encode(answer)
	}
}
