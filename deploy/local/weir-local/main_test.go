package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/weirhq/weir/deploy/local/process"
)

// asProgram makes the test binary behave as this program, with stand-ins for the parts that are not engines.
const asProgram = "WEIR_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	if os.Args[1] == "stand-in" {
		os.Exit(beStandIn(os.Args[2:]))
	}
	os.Exit(command(os.Args[1:], standIns))
}

var standIns = partTable{
	build:        func(context.Context, *stack) error { return nil },
	oidc:         standIn("OIDC"),
	mock:         standIn("MOCK"),
	controlplane: standIn("CONTROL"),
	agent:        standIn("AGENT"),
	seed: func(ctx context.Context, s *stack) (demonstration, error) {
		if err := process.Answers(s.url("CONTROL"))(ctx); err != nil {
			return demonstration{}, err
		}
		return demonstration{email: "ada@example.com", password: "pass", token: "it's", key: "weir_key", keyID: "id"}, nil
	},
	accepts: func(ctx context.Context, s *stack) error { return process.AnswersTo(s.demo.key, s.url("AGENT"))(ctx) },
}

func standIn(variable string) func(*stack) (process.Program, error) {
	return func(s *stack) (process.Program, error) {
		return process.Program{
			Path: s.self, Args: []string{"stand-in", "--listen", s.address(variable)},
			Probe: func(ctx context.Context) error { return process.Answers(s.url(variable))(ctx) },
		}, nil
	}
}

func beStandIn(args []string) int {
	flags := flag.NewFlagSet("stand-in", flag.ExitOnError)
	listen := flags.String("listen", "", "address")
	_ = flags.Parse(args)
	ctx, stop := process.Lifetime()
	defer stop()
	if err := serve(ctx, *listen, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
