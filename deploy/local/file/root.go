package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// RepositoryRoot is the nearest folder above the working folder that holds go.mod.
func RepositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("working folder: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", errors.New("not inside the weir repository: no go.mod in " + dir + " or above")
		}
	}
}
