package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/supervise"
)

// remote passes status, stop or start to the run that uses the local folder.
func remote(ctx context.Context, out io.Writer, verb string, args []string) error {
	r := supervise.Request{Verb: verb}
	if len(args) == 1 {
		r.Part = args[0]
	}
	if len(args) > 1 || (verb != "status" && len(args) == 0) {
		return fmt.Errorf("want one part: local %s <part>", verb)
	}
	root, err := file.RepositoryRoot()
	if err != nil {
		return err
	}
	dir, err := localDir(root)
	if err != nil {
		return err
	}
	answer, err := supervise.Ask(ctx, dir, r)
	if errors.Is(err, supervise.ErrNotRunning) {
		removeStaleEnv(dir)
	}
	if err != nil {
		return err
	}
	return printStatus(out, answer.Parts, r.Part)
}

func printStatus(out io.Writer, parts []supervise.Status, only string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	shown := 0
	var names []string
	for _, p := range parts {
		names = append(names, p.Part)
		if only != "" && p.Part != only {
			continue
		}
		shown++
		fmt.Fprintf(table, "%s\t%s\tfor %s\tpid %d\trestarts %d\t%s\n",
			p.Part, p.State, time.Since(p.Since).Round(time.Second), p.PID, p.Restarts, p.Log)
	}
	if only != "" && shown == 0 {
		return supervise.UnknownPart(only, names)
	}
	return table.Flush()
}

// removeStaleEnv removes the env file that a killed run left, whose addresses answer no longer.
func removeStaleEnv(dir string) {
	if !exists(filepath.Join(dir, "env")) {
		return
	}
	lock, err := file.TryLock(filepath.Join(dir, "lock"))
	if err != nil {
		return // a run is just beginning or ending
	}
	defer lock.Release()
	_ = os.Remove(filepath.Join(dir, "env"))
}

// clean removes the data of runs, but not under a living one and not a folder that no run made.
func clean(out io.Writer) error {
	root, err := file.RepositoryRoot()
	if err != nil {
		return err
	}
	dir, err := localDir(root)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "lock")); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(out, "nothing to remove: no run has used %s\n", dir)
		return nil
	}
	lock, err := file.TryLock(filepath.Join(dir, "lock"))
	if err != nil {
		return fmt.Errorf("stop the run first: %w", err)
	}
	defer lock.Release()
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the local data: %w", err)
	}
	fmt.Fprintf(out, "removed %s\n", dir)
	return nil
}
