// Local runs all of Weir on one machine: the embedded engines, a login provider, a mock upstream, the control
// plane and an agent, each a supervised child process.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/process"
)

const usage = `usage:
  local run                          start everything and stay until Ctrl-C
  local status [part]                what runs
  local stop <part>                  take a part down and keep it down
  local start <part>                 bring it back
  local clean                        remove the data of runs
  local with-engines -- <command…>   run a command against throwaway Postgres, Kafka and ClickHouse
`

func main() { os.Exit(command(os.Args[1:], weirParts)) }

func command(args []string, parts partTable) int {
	if code, ok := engine.Child(args); ok {
		return code
	}
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	ctx, stop := lifetime()
	defer stop()
	var err error
	switch args[0] {
	case "run":
		err = run(ctx, os.Stdout, parts)
	case "status", "stop", "start":
		err = remote(ctx, os.Stdout, args[0], args[1:])
	case "clean":
		err = clean(os.Stdout)
	case "with-engines":
		return withEngines(ctx, args[1:])
	case "oidc":
		err = serveOIDC(ctx, args[1:])
	case "mock":
		err = serveMock(ctx, args[1:])
	case "help", "-h", "--help":
		fmt.Fprint(os.Stdout, usage)
	default:
		fmt.Fprintf(os.Stderr, "unknown command %q\n%s", args[0], usage)
		return 2
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "\n%v\n", err)
		return 1
	}
	return 0
}

var (
	errSignal   = errors.New("stopped by a signal")
	errOrphaned = errors.New("whoever started this is gone")
)

// lifetime ends at Ctrl-C, SIGTERM, SIGHUP, or when the "go run" or make above was killed.
func lifetime() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	orphaned := process.Orphaned(ctx)
	go func() {
		select {
		case <-signals:
			cancel(errSignal)
		case <-orphaned:
			cancel(errOrphaned)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}
