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
		err := Binaries(t.Context(), t.TempDir(), func(int) {}, "./bad")
		if err == nil || !strings.HasSuffix(err.Error(), "\n# example.com/bad\n./a.go:1:1: oops") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("repositories_that_share_a_cache_share_no_binaries", func(t *testing.T) {
		tools, one, other := t.TempDir(), t.TempDir(), t.TempDir()
		script := "#!/bin/sh\npwd > \"$4/built\"\n" // go build -v -o FOLDER
		if err := os.WriteFile(filepath.Join(tools, "go"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
		t.Setenv("WEIR_CACHE_DIR", t.TempDir())
		for _, root := range []string{one, other} {
			if err := Binaries(t.Context(), root, func(int) {}, "./x"); err != nil {
				t.Fatal(err)
			}
		}
		for _, root := range []string{one, other} {
			built, err := os.ReadFile(filepath.Join(Folder(root), "built"))
			if err != nil || strings.TrimSpace(string(built)) != root {
				t.Errorf("%s has what was built in %q, %v", root, built, err)
			}
		}
	})
	t.Run("names_what_to_install_without_go", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if err := Binaries(t.Context(), t.TempDir(), func(int) {}, "./x"); err == nil || !strings.Contains(err.Error(), "install Go") {
			t.Errorf("got %v", err)
		}
	})
}
