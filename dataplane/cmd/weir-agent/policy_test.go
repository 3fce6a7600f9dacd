package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExportOfNoAgent(t *testing.T) {
	var out strings.Builder
	path := filepath.Join(t.TempDir(), "policy")
	err := (&exportPolicy{StateDir: t.TempDir(), Out: path}).Run(&out)
	if err == nil || !strings.Contains(err.Error(), "no identity") || out.Len() > 0 {
		t.Errorf("%v, printed %s", err, &out)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it left a file")
	}
}

func TestNothingIsWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy")
	if err := create(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := create(path, []byte("two")); err == nil {
		t.Error("it was written over")
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "one" {
		t.Errorf("%q, %v", content, err)
	}
}
