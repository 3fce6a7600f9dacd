package chaos

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A disk that is filled takes nothing more, keeps what it has, and takes more again.
func TestDisk(t *testing.T) {
	if !inside() {
		possible, err := enter(t.Context(), "-test.run=^TestDisk$", "-test.count=1")
		if !possible || err != nil {
			t.Fatalf("possible %t: %v", possible, err)
		}
		return
	}
	d, err := newDisk(filepath.Join(t.TempDir(), "disk"), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	write := func(name string) error { return os.WriteFile(filepath.Join(d.path, name), make([]byte, 64<<10), 0o600) }
	if err := write("before"); err != nil {
		t.Fatal(err)
	}
	if err := d.fill(); err != nil {
		t.Fatal(err)
	}
	if err := write("full"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	if kept, err := os.ReadFile(filepath.Join(d.path, "before")); err != nil || len(kept) != 64<<10 {
		t.Errorf("%d bytes are kept: %v", len(kept), err)
	}
	if err := d.free(); err != nil {
		t.Fatal(err)
	}
	if err := write("after"); err != nil {
		t.Error(err)
	}
}
