package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/weirhq/weir/deploy/local/file"
)

func load(path string) (Demo, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Demo{}, nil
	}
	if err != nil {
		return Demo{}, fmt.Errorf("read the demo's secrets: %w", err)
	}
	var d Demo
	if err := json.Unmarshal(text, &d); err != nil {
		return Demo{}, fmt.Errorf("%s is damaged (%w): bring it back, or `make clean-local` starts afresh", path, err)
	}
	return d, nil
}

func save(path string, d Demo) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the demo's secrets: %w", err)
	}
	if err := file.Replace(path, string(text)+"\n", 0o600); err != nil {
		return fmt.Errorf("keep the demo's secrets: %w", err)
	}
	return nil
}
