package spool

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// reserve sets blocks aside without changing the file's size.
func reserve(f *os.File, bytes int64) error {
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, bytes)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}

// datasync makes written bytes durable, and as much metadata as reading them takes.
func datasync(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
