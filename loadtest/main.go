// Command loadtest puts Weir under load on this machine and prints what it held: real
// processes on loopback, bounded in time, nothing left running.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/process"
	"github.com/weirhq/weir/loadtest/budget"
	"github.com/weirhq/weir/loadtest/chaos"
	"github.com/weirhq/weir/loadtest/dashboards"
	"github.com/weirhq/weir/loadtest/fleet"
	"github.com/weirhq/weir/loadtest/gateway"
	"github.com/weirhq/weir/loadtest/ingest"
	"github.com/weirhq/weir/loadtest/outage"
)

type commandLine struct {
	Budget     budgetCommand     `cmd:"" help:"Hard budgets of many agents that are killed, whose calls get lost, doubled and late, and whose store is put back: does any go beyond?"`
	Dashboards dashboardsCommand `cmd:"" help:"Every fixed query of the console over a month of 100 million requests: time, memory, what is read."`
	Fleet      fleetCommand      `cmd:"" help:"Thousands of agents on one core of the control plane: memory, time from change to applied, and a storm."`
	Chaos      chaosCommand      `cmd:"" help:"Kill, stop and cut off everything at random under load: is any usage lost or there twice?"`
	Gateway    gatewayCommand    `cmd:"" help:"The agent beside a bare reverse proxy and other gateways: latency, throughput, memory."`
	Ingest     ingestCommand     `cmd:"" help:"Usage from Kafka to ClickHouse: records per second of a processor, and how long until a request is seen in SQL."`
	Spool      spoolCommand      `cmd:"" help:"The agent while its broker is away, until much is spooled, and when it is back: latency side by side, nothing lost, how fast it catches up."`

	// What the gateway command starts.
	Upstream gateway.Upstream `cmd:"" hidden:""`
	Bare     gateway.Bare     `cmd:"" hidden:""`
}

type fleetCommand struct{ fleet.Config }

func (c *fleetCommand) Run(ctx context.Context) error {
	return fleet.Run(ctx, c.Config, os.Stdout)
}

type dashboardsCommand struct{ dashboards.Config }

func (c *dashboardsCommand) Run(ctx context.Context) error {
	return dashboards.Run(ctx, c.Config, os.Stdout)
}

type budgetCommand struct{ budget.Config }

func (c *budgetCommand) Run(ctx context.Context) error {
	return budget.Run(ctx, c.Config, os.Stdout)
}

type chaosCommand struct{ chaos.Config }

func (c *chaosCommand) Run(ctx context.Context) error {
	return chaos.Main(ctx, c.Config, os.Stdout)
}

type gatewayCommand struct{ gateway.Config }

func (c *gatewayCommand) Run(ctx context.Context) error {
	return gateway.Run(ctx, c.Config, os.Stdout, os.Stderr)
}

type ingestCommand struct{ ingest.Config }

func (c *ingestCommand) Run(ctx context.Context) error {
	return ingest.Run(ctx, c.Config, os.Stdout)
}

type spoolCommand struct{ outage.Config }

func (c *spoolCommand) Run(ctx context.Context) error {
	return outage.Run(ctx, c.Config, os.Stdout)
}

func main() {
	if code, is := engine.Child(os.Args[1:]); is {
		os.Exit(code)
	}
	ctx, stop := process.Lifetime()
	command := kong.Parse(&commandLine{}, kong.Description("Load tests of Weir."), kong.BindTo(ctx, (*context.Context)(nil)))
	err := command.Run()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
