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
	Serve   serve          `cmd:"" help:"Serve the roles of this process until it is told to stop."`
	Audit   auditCommands  `cmd:"" help:"Check that nobody edited the log."`
	Keys    keysCommands   `cmd:"" help:"Rotate the keys of the installation and of its organizations."`
	Rebuild rebuild        `cmd:"" help:"Compare read models with the log, and put them right; exit status 1 if they differ and stay so."`
	Backup  backup         `cmd:"" help:"Write the configuration store to a file, while others serve it."`
	Restore restore        `cmd:"" help:"Fill an empty configuration store from a file."`
	Ingest  ingestCommands `cmd:"" help:"Work on usage that was put aside."`
	Healthy healthy        `cmd:"" help:"Ask the control plane that runs here whether it can work; exit status 1 if not."`

	Version kong.VersionFlag `help:"Print the version."`
}

type serve struct {
	controlplane.Config
}

func (s *serve) Run(ctx context.Context) error {
	if err := s.LoadSecrets(); err != nil {
		return err
	}
	return controlplane.Run(ctx, s.Config, slog.New(slog.NewJSONHandler(os.Stderr, nil)))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	command := kong.Parse(&commandLine{}, kong.Description("The control plane of Weir."),
		kong.Vars{"version": controlplane.Version()}, kong.BindTo(ctx, (*context.Context)(nil)))
	command.FatalIfErrorf(command.Run())
}
