// Command weir-agent is the half of Weir that runs in the customer's network:
// applications call it, and it calls the providers.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"

	"github.com/weirhq/weir/dataplane"
)

type commandLine struct {
	Serve      serve      `cmd:"" default:"withargs" help:"Serve applications until told to stop."`
	GatewayKey gatewayKey `cmd:"" help:"Keys that sealed credentials are opened with."`
	Seal       sealing    `cmd:"" help:"Seal a credential, read from standard input, for the agents of one gateway."`
	Policy     policy     `cmd:"" help:"Policies of agents, as files."`
	Usage      usage      `cmd:"" help:"The usage of requests: how it gets out, and what it holds."`
	Healthy    healthy    `cmd:"" help:"Ask the agent that runs here whether it is up; exit status 1 if not."`

	Version kong.VersionFlag `help:"Print the version."`
}

type serve struct {
	dataplane.Config
}

func (s *serve) Run() error {
	if err := s.LoadSecrets(); err != nil {
		return err
	}
	ctx, hurry, release := told(context.Background())
	defer release()
	s.Hurry = hurry
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return fmt.Errorf("WEIR_LOG_LEVEL: %w", err)
	}
	return dataplane.Run(ctx, s.Config, slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
}

func main() {
	command := kong.Parse(&commandLine{}, kong.Description("The agent of Weir."), kong.Vars{"version": dataplane.Version()},
		kong.BindTo(os.Stdin, (*io.Reader)(nil)), kong.BindTo(os.Stdout, (*io.Writer)(nil)))
	command.FatalIfErrorf(command.Run())
}
