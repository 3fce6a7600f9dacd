package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/weirhq/weir/deploy/local/file"
)

const sizesFile = "sizes.json" // beside "complete"; caches of older versions have none

// writeSizes keeps how large each file of the engines is.
func writeSizes(dir string) error {
	sizes := map[string]int64{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		sizes[name] = info.Size()
		return err
	})
	if err != nil {
		return fmt.Errorf("measure the engines: %w", err)
	}
	text, err := json.Marshal(sizes)
	if err != nil {
		return fmt.Errorf("measure the engines: %w", err)
	}
	return file.Replace(filepath.Join(dir, sizesFile), string(text), 0o644)
}

// checkSizes finds files that were cut or removed: loading such a one would crash without a reason.
func checkSizes(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, sizesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("check the engines: %w", err)
	}
	sizes := map[string]int64{}
	if err := json.Unmarshal(text, &sizes); err != nil {
		return damaged(dir, sizesFile)
	}
	for name, want := range sizes {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() != want {
			return damaged(dir, name)
		}
	}
	return nil
}

func damaged(dir, name string) error {
	return fmt.Errorf("the engine is damaged (%s was cut or is gone): remove %s and run again, which downloads it", name, dir)
}
