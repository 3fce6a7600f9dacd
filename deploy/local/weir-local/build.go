package main

import (
	"context"

	"github.com/weirhq/weir/deploy/local/build"
)

// buildBinaries makes the control plane, which holds the built console, and the agent.
func buildBinaries(ctx context.Context, s *stack) error {
	tell := func(compiled int) { s.screen.Note("build: %d packages compiled", compiled) }
	return build.Binaries(ctx, s.root, tell, "./controlplane/cmd/weir-controlplane", "./dataplane/cmd/weir-agent")
}
