// Command weir-controlplane is the hosted half of Weir: configuration, policy,
// usage and the console.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/weirhq/weir/controlplane"
)

type commandLine struct {
	Serve serve `cmd:"" help:"Serve the roles of this process until it is told to stop."`
}

type serve struct {
	controlplane.Config
}

func (s *serve) Run() error {
	if err := s.LoadSecrets(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return controlplane.Run(ctx, s.Config, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
}

func main() {
	command := kong.Parse(&commandLine{}, kong.Description("The control plane of Weir."))
	command.FatalIfErrorf(command.Run())
}
