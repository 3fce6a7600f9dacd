package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/weirhq/weir/deploy/local/file"
)

// set is what one package manager fetches at once, into a folder of its own in the cache.
type set struct {
	name    string // of the folder
	version string // tells one content from another
	needs   uint64 // bytes of free disk
	install func(ctx context.Context, dir string, progress io.Writer) error
}

// ensure fetches the set if the cache does not have it in this version. Of all who ask at once one fetches.
func (s set) ensure(ctx context.Context, cache string, progress io.Writer) error {
	final := filepath.Join(cache, s.name)
	if s.installed(final) {
		return checkSizes(final)
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	lock, err := file.WaitLock(ctx, filepath.Join(cache, "lock"), func() {
		fmt.Fprintf(progress, "engines: another process is fetching them into %s, waiting\n", cache)
	})
	if err != nil {
		return fmt.Errorf("fetch engines: %w", err)
	}
	defer lock.Release()
	if s.installed(final) {
		return nil
	}
	if err := enoughSpace(cache, s.needs); err != nil {
		return err
	}
	return s.download(ctx, final, progress)
}

// installed is true when the folder holds exactly what this build names.
func (s set) installed(final string) bool {
	mark, err := os.ReadFile(filepath.Join(final, "complete"))
	return err == nil && string(mark) == s.version
}

// download puts the whole set in its place in one step.
func (s set) download(ctx context.Context, final string, progress io.Writer) error {
	partial := final + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return fmt.Errorf("clear an unfinished download: %w", err)
	}
	if err := os.MkdirAll(partial, 0o755); err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	err := s.install(ctx, partial, progress)
	if err == nil {
		err = writeSizes(partial)
	}
	if err == nil {
		err = file.Replace(filepath.Join(partial, "complete"), s.version, 0o644)
	}
	if err != nil {
		_ = os.RemoveAll(partial)
		return err
	}
	if err := errors.Join(os.RemoveAll(final), os.Rename(partial, final)); err != nil {
		return fmt.Errorf("install engines: %w", err)
	}
	return nil
}

func enoughSpace(dir string, needs uint64) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("look at the disk below %s: %w", dir, err)
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < needs {
		return fmt.Errorf("no space: the engines need %d MB below %s and %d MB are free; free some or set WEIR_CACHE_DIR",
			needs>>20, dir, free>>20)
	}
	return nil
}
