// Package build makes Go binaries, one build at a time in a folder.
package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
)

const progressEvery = 10 * time.Second

// Folder is where the binaries of the repository at root are: its own, also where repositories share a cache of engines.
func Folder(root string) string { return filepath.Join(root, ".weir", "bin") }

// Binaries builds commands of the repository at root into its Folder, each under the name of its package's folder. Go's
// build cache makes it quick when nothing changed; progress is told how many packages it had to compile.
func Binaries(ctx context.Context, root string, progress func(compiled int), packages ...string) error {
	bin := Folder(root)
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("folder of binaries: %w", err)
	}
	lock, err := file.WaitLock(ctx, filepath.Join(bin, "lock"), nil)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	defer lock.Release()
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-v", "-o", bin + string(filepath.Separator)}, packages...)...)
	cmd.Dir = root
	out := &output{progress: progress, told: time.Now()}
	cmd.Stdout, cmd.Stderr = out, out
	err = process.Run(cmd)
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("go is not on the PATH: install Go 1.26 or newer")
	}
	if err != nil {
		return fmt.Errorf("build: %w:\n%s", err, out.faults())
	}
	return nil
}

// output is what "go build -v" writes: a line per compiled package, and faults.
type output struct {
	progress func(compiled int)
	mu       sync.Mutex
	text     bytes.Buffer
	told     time.Time
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if time.Since(o.told) > progressEvery {
		o.told = time.Now()
		o.progress(o.compiled())
	}
	return len(p), nil
}

func (o *output) compiled() (n int) {
	for line := range strings.Lines(o.text.String()) {
		if isPackage(strings.TrimSpace(line)) {
			n++
		}
	}
	return n
}

func (o *output) faults() string {
	lines := strings.Split(strings.TrimSpace(o.text.String()), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return isPackage(line) || strings.HasPrefix(line, "go: downloading ") })
	return strings.Join(lines, "\n")
}

func isPackage(line string) bool { return line != "" && !strings.ContainsAny(line, " \t") }
