package chaos

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// disk is a small file system of its own, which can be full without anything being
// written: it shrinks to what is on it.
type disk struct {
	path string
	room int64 // bytes
}

// newDisk mounts one. It is a tmpfs in our own mount namespace: nobody else sees it, it
// goes with us, and what is on it outlives the processes that use it.
func newDisk(path string, room int64) (*disk, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	if err := unix.Mount("weir-chaos", path, "tmpfs", 0, fmt.Sprintf("size=%d,mode=755", room)); err != nil {
		return nil, fmt.Errorf("mount a small disk on %s: %w", path, err)
	}
	return &disk{path: path, room: room}, nil
}

// fill leaves no room: the next write that needs a page gets ENOSPC.
func (d *disk) fill() error {
	var stat unix.Statfs_t
	if err := unix.Statfs(d.path, &stat); err != nil {
		return err
	}
	used := int64(stat.Blocks-stat.Bfree) * stat.Bsize
	return d.resize(max(used, stat.Bsize)) // 0 would mean without bound
}

func (d *disk) free() error { return d.resize(d.room) }

func (d *disk) resize(bytes int64) error {
	return unix.Mount("weir-chaos", d.path, "tmpfs", unix.MS_REMOUNT, fmt.Sprintf("size=%d", bytes))
}

func (d *disk) close() { _ = unix.Unmount(d.path, unix.MNT_DETACH) }

// insideVariable says that we are in a mount namespace of our own.
const insideVariable = "WEIR_CHAOS_INSIDE"

// inside tells whether this process may mount disks that only it and its children see.
func inside() bool { return os.Getenv(insideVariable) != "" }

// Main is Run in a process of its own that may mount disks, where disks are to be filled:
// this program is run again with its own arguments. As root that takes a mount namespace;
// others need a user namespace, too. Where neither is to be had, disks are not filled.
func Main(ctx context.Context, c Config, out io.Writer) error {
	if inside() || !c.has(full) {
		return Run(ctx, c, out)
	}
	switch possible, err := enter(ctx, os.Args[1:]...); {
	case !possible:
		return Run(ctx, c, out)
	default:
		return err
	}
}

func enter(ctx context.Context, args ...string) (possible bool, err error) {
	runtime.LockOSThread() // the parent-death signal is tied to the thread that forks
	defer runtime.UnlockOSThread()
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	command := exec.CommandContext(ctx, self, args...)
	command.Env = append(os.Environ(), insideVariable+"=1")
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = namespace()
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	if err := command.Start(); err != nil {
		return false, nil // the caller goes on without
	}
	if err := command.Wait(); err != nil {
		return true, fmt.Errorf("the run: %w", err) // it has said why
	}
	return true, nil
}

func namespace() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL, Setpgid: true,
	}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		// The same ids inside, since Postgres refuses root's, and the right to mount kept.
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		attributes.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
	}
	return attributes
}
