package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
)

// publicPostgres returns a tree of the binaries that every user can reach: the fetched one, or, where the cache
// lies below a closed folder such as /root, a copy in a system folder. A capability would not do for these: the
// programs check with access(2), which does not honour it, that they can find one another.
func publicPostgres(tree string) (string, error) {
	open, err := reachable(tree)
	if err != nil || open {
		return tree, err
	}
	var faults []error
	for _, parent := range []string{"/var/lib", os.TempDir()} {
		target := filepath.Join(parent, "weir-postgres-"+fetch.Version()[:16])
		if err := copyTree(tree, target); err != nil {
			faults = append(faults, err)
			continue
		}
		return target, nil
	}
	return "", fmt.Errorf("postgres can't run as root, and uid %d can't reach %s (set WEIR_CACHE_DIR to another folder): %w",
		nobody, tree, errors.Join(faults...))
}

// copyTree makes target in one step, or accepts one that is there if only root can have made it.
func copyTree(tree, target string) error {
	info, err := os.Lstat(target)
	if err == nil {
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || !info.IsDir() || stat.Uid != 0 || info.Mode().Perm()&0o022 != 0 {
			return fmt.Errorf("%s is not a folder that only root may write to", target)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("copy postgres: %w", err)
	}
	partial, err := os.MkdirTemp(filepath.Dir(target), filepath.Base(target)+".")
	if err != nil {
		return fmt.Errorf("copy postgres: %w", err)
	}
	defer os.RemoveAll(partial)
	err = errors.Join(os.CopyFS(filepath.Join(partial, "tree"), os.DirFS(tree)), file.OpenToAll(partial))
	if err == nil {
		err = os.Rename(filepath.Join(partial, "tree"), target)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("copy postgres: %w", err)
	}
	return nil
}
