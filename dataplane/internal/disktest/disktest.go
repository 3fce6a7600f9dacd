// Package disktest runs a test on a disk of its own that can be filled and made
// read-only. It is for tests only and needs Linux.
package disktest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const child = "WEIR_DISKTEST"

// Disk is a small tmpfs.
type Disk struct {
	t    *testing.T
	Path string
	size int
}

// Run calls test with a disk of so many bytes. The test runs again as a process of
// its own, in a mount namespace that ends with it: no mount outlives a test, and
// where users may make namespaces it needs no root.
func Run(t *testing.T, size int, test func(*testing.T, *Disk)) {
	t.Helper()
	if os.Getenv(child) != "" {
		d := &Disk{t: t, Path: t.TempDir(), size: size}
		d.mount(0)
		t.Cleanup(func() { _ = unix.Unmount(d.Path, unix.MNT_DETACH) })
		test(t, d)
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	command.Env = append(os.Environ(), child+"=1")
	command.SysProcAttr = namespace()
	output, err := command.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Fatal("this test mounts a tmpfs: run it as root, or where users may make namespaces")
	}
	if err != nil || !bytes.Contains(output, []byte("PASS")) {
		t.Fatalf("%v\n%s", err, output)
	}
}

func namespace() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return attributes
}

func (d *Disk) mount(flags uintptr) {
	d.t.Helper()
	if err := unix.Mount("weir-test", d.Path, "tmpfs", flags, fmt.Sprintf("size=%d", d.size)); err != nil {
		d.t.Fatalf("mount: %v", err)
	}
}

// ReadOnly makes the disk read-only, or writable again.
func (d *Disk) ReadOnly(on bool) {
	d.t.Helper()
	flags := uintptr(unix.MS_REMOUNT)
	if on {
		flags |= unix.MS_RDONLY
	}
	d.mount(flags)
}

// Fill takes all the room that is left.
func (d *Disk) Fill() {
	d.t.Helper()
	f, err := os.Create(d.filler())
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); errors.Is(err, unix.ENOSPC) {
			return
		} else if err != nil {
			d.t.Fatal(err)
		}
	}
}

// Spare gives back so many bytes of what Fill took.
func (d *Disk) Spare(bytes int64) {
	d.t.Helper()
	info, err := os.Stat(d.filler())
	if err == nil {
		err = os.Truncate(d.filler(), info.Size()-bytes)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// Free gives back what Fill took.
func (d *Disk) Free() {
	d.t.Helper()
	if err := os.Remove(d.filler()); err != nil {
		d.t.Fatal(err)
	}
}

func (d *Disk) filler() string { return filepath.Join(d.Path, "filler") }
