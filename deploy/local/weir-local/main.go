// Weir-local runs all of Weir on one machine: the embedded engines, a login provider, a mock upstream, the control
// plane and an agent, each a supervised child process. The launcher, ./deploy/local, builds and starts it.
package main

import (
	"fmt"
	"os"

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
	ctx, stop := process.Lifetime()
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
