package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBinaries(t *testing.T) {
	t.Run("shows_the_faults_and_not_what_was_compiled_before", func(t *testing.T) {
		tools := t.TempDir()
		script := "#!/bin/sh\necho 'go: downloading x v1' >&2; echo example.com/fine >&2; echo '# example.com/bad' >&2; echo './a.go:1:1: oops' >&2; exit 1\n"
		if err := os.WriteFile(filepath.Join(tools, "go"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
		err := Binaries(t.Context(), t.TempDir(), t.TempDir(), func(int) {}, "./bad")
		if err == nil || !strings.HasSuffix(err.Error(), "\n# example.com/bad\n./a.go:1:1: oops") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("names_what_to_install_without_go", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if err := Binaries(t.Context(), t.TempDir(), t.TempDir(), func(int) {}, "./x"); err == nil || !strings.Contains(err.Error(), "install Go") {
			t.Errorf("got %v", err)
		}
	})
}
