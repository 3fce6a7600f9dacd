package spool_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
)

// TestARoomThatIsNoFile is made anew, and nothing outside of the folder is touched.
func TestARoomThatIsNoFile(t *testing.T) {
	for name, put := range map[string]func(t *testing.T, room, outside string) error{
		"link":          func(_ *testing.T, room, outside string) error { return os.Symlink(outside, room) },
		"link_to_none":  func(_ *testing.T, room, outside string) error { return os.Symlink(outside+"-not-there", room) },
		"empty_folder":  func(_ *testing.T, room, _ string) error { return os.Mkdir(room, 0o700) },
		"no_permission": func(_ *testing.T, room, _ string) error { return os.WriteFile(room, nil, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			outside := filepath.Join(t.TempDir(), "outside")
			if err := os.WriteFile(outside, []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			room := filepath.Join(dir, "room")
			if err := put(t, room, outside); err != nil {
				t.Fatal(err)
			}
			l := open(t, spool.Options{Dir: dir, RetryEvery: time.Millisecond})
			servesAgain(t, l)
			if info, err := os.Lstat(room); err != nil || !info.Mode().IsRegular() {
				t.Errorf("the room is %v, %v", info, err)
			}
			if _, err := os.Lstat(outside + "-not-there"); err == nil {
				t.Error("the room was made outside of the folder")
			}
		})
	}
}

// TestARoomThatCanNotBeMade: the reason is said, once to the log and to all who ask.
func TestARoomThatCanNotBeMade(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "room", "in it"), 0o700); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	l := open(t, spool.Options{Dir: dir, RetryEvery: time.Millisecond, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	_, err := l.Start(started("a"))
	for _, err := range []error{err, l.Fault()} {
		if err == nil || errors.Is(err, spool.ErrFull) || !strings.Contains(err.Error(), "is a directory") {
			t.Errorf("who asks is told %v", err)
		}
	}
	time.Sleep(20 * time.Millisecond) // many tries
	if err := os.RemoveAll(filepath.Join(dir, "room")); err != nil {
		t.Fatal(err)
	}
	servesAgain(t, l)
	shut(t, l)
	if n := strings.Count(said.String(), "is a directory"); n != 1 {
		t.Errorf("it is said %d times: %s", n, said.String())
	}
}
