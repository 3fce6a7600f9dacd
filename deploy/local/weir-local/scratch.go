package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/weirhq/weir/deploy/local/file"
)

const scratchPrefix = "weir-engines-"

// scratch is a locked throwaway folder.
type scratch struct {
	path string
	lock *file.Lock
}

// newScratch also removes the folders of runs that were killed: those that nobody holds the lock of.
func newScratch() (scratch, error) {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), scratchPrefix+"*"))
	for _, dir := range old {
		lock, err := file.TryLock(filepath.Join(dir, "lock"))
		if err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		lock.Release()
	}
	dir, err := os.MkdirTemp("", scratchPrefix)
	if err != nil {
		return scratch{}, fmt.Errorf("make a throwaway folder: %w", err)
	}
	lock, err := file.TryLock(filepath.Join(dir, "lock"))
	if err != nil {
		return scratch{}, err
	}
	return scratch{dir, lock}, nil
}

func (s scratch) remove() {
	_ = os.RemoveAll(s.path)
	s.lock.Release()
}
