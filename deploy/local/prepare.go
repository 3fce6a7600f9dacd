package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/deploy/local/build"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
	"github.com/weirhq/weir/deploy/local/screen"
)

// prepare makes what the command needs, all at once, and returns the program to become.
func prepare(ctx context.Context, verb string, out *screen.Screen) (program string, err error) {
	root, err := file.RepositoryRoot()
	if err != nil {
		return "", err
	}
	cache, err := fetch.CacheDir(root)
	if err != nil {
		return "", err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return out.SlowStep("launcher", "weir-local (minutes the first time)", func() error {
			tell := func(compiled int) { out.Note("launcher: %d packages compiled", compiled) }
			return build.Binaries(ctx, root, tell, "./deploy/local/weir-local")
		})
	})
	if verb == "run" {
		group.Go(func() error {
			return out.SlowStep("console", "its packages and pages", func() error { return buildConsole(ctx, root) })
		})
	}
	if needsEngines(verb) {
		group.Go(func() error {
			return out.SlowStep("engines", "PostgreSQL 18.4 and ClickHouse 26.7", func() error {
				_, err := fetch.Engines(ctx, cache, out)
				return err
			})
		})
	}
	return filepath.Join(build.Folder(root), "weir-local"), group.Wait()
}

func needsEngines(verb string) bool {
	external := os.Getenv("WEIR_EXTERNAL_POSTGRES_URL") != "" && os.Getenv("WEIR_EXTERNAL_CLICKHOUSE_URL") != ""
	return verb == "with-engines" || (verb == "run" && !external)
}

// buildConsole leaves it to make, which knows whether the console is older than its sources.
func buildConsole(ctx context.Context, root string) error {
	cmd := exec.CommandContext(ctx, "make", "--no-print-directory", "--silent", "web")
	cmd.Dir = root
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := process.Run(cmd)
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("make is not on the PATH: install it, it builds the console")
	}
	if err != nil {
		return fmt.Errorf("build the console: %s", fetch.Reason(out.String(), root))
	}
	return nil
}
