package control

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// writeFile replaces path with content, mode 0600: after a crash the old bytes or
// the new ones are there, whole.
func writeFile(path string, content ...[]byte) error {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	for _, part := range content {
		if _, err = file.Write(part); err != nil {
			break
		}
	}
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(file.Name()))
	}
	return syncFolder(dir)
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync folder %s: %w", dir, err)
	}
	return nil
}

// removeLeftovers deletes what a crash in writeFile left behind.
func removeLeftovers(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, ".*-*"))
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove leftover: %w", err)
		}
	}
	return nil
}

// appendFile adds content to the end of path, mode 0600, and makes it durable.
func appendFile(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("append to %s: %w", path, err)
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("append to %s: %w", path, err)
	}
	return syncFolder(filepath.Dir(path))
}
