package spool_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/weirhq/weir/dataplane/internal/disktest"
	"github.com/weirhq/weir/dataplane/internal/spool"
)

func TestGateOfADiskThatSaysNo(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, disk *disktest.Disk) {
		var said strings.Builder
		o := spool.Options{Dir: filepath.Join(disk.Path, "spool"), SegmentBytes: 64 << 10, RetryEvery: time.Millisecond,
			Logger: slog.New(slog.NewTextHandler(&said, nil))}
		l := open(t, o)
		torn := start(t, l, "torn")
		shut(t, l)
		for name, trouble := range map[string]struct {
			begin, end func()
			want       error
		}{
			"full":      {func() { noRoom(t, o.Dir); disk.Fill() }, disk.Free, spool.ErrFull},
			"read_only": {func() { disk.ReadOnly(true) }, func() { disk.ReadOnly(false) }, unix.EROFS},
		} {
			said.Reset()
			trouble.begin()
			before := len(segments(t, o.Dir))
			gate, err := spool.OpenGate(o)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, err := gate.Start(started("a")); !errors.Is(err, trouble.want) || !errors.Is(gate.Shut(), trouble.want) {
				t.Errorf("%s: start: %v, shut: %v", name, err, gate.Shut())
			}
			done := make(chan error, 1)
			go func() { done <- gate.Run(context.Background()) }()
			time.Sleep(20 * time.Millisecond) // many tries
			if n := len(segments(t, o.Dir)); n != before {
				t.Errorf("%s: tries left %d segments", name, n-before)
			}
			trouble.end()
			<-gate.Opened()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if id, err := gate.Start(started(name)); err != nil || gate.End(id, finished(name)) != nil || gate.Shut() != nil {
				t.Errorf("%s: after it opened: %v", name, err)
			}
			if n := strings.Count(said.String(), "requests are refused until"); n != 1 || strings.Count(said.String(), "is open, requests") != 1 {
				t.Errorf("%s: %s", name, said.String())
			}
			if err := gate.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		records := byName(t, recordsOf(t, drain(t, open(t, o))))
		if r := records["torn"]; r.GetTornFrom().GetLocalId() != int64(torn) {
			t.Errorf("the request that was open: %v", r)
		}
	})
}

// noRoom takes what is set aside, which a spool would open in.
func noRoom(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "room")); err != nil {
		t.Fatal(err)
	}
	for _, path := range segments(t, dir) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, info.Size()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGateThatFailsHalfway(t *testing.T) {
	disktest.Run(t, 2<<20, func(t *testing.T, disk *disktest.Disk) {
		o := spool.Options{Dir: filepath.Join(disk.Path, "spool"), SegmentBytes: 64 << 10, MaxBytes: 64 << 20}
		l := open(t, o)
		const torn = 4000 // their records take more than what is spared
		for i := range torn {
			start(t, l, strconv.Itoa(i))
		}
		shut(t, l)
		before := segments(t, o.Dir)
		disk.Fill()
		disk.Spare(128 << 10)
		for range 3 {
			gate, err := spool.OpenGate(o)
			if err != nil || !errors.Is(gate.Shut(), spool.ErrFull) {
				t.Fatalf("%v, shut: %v", err, gate.Shut())
			}
		}
		if diff := cmp.Diff(before, segments(t, o.Dir)); diff != "" {
			t.Errorf("a boot that never was left something: %s", diff)
		}
		disk.Free()
		if n := len(byName(t, recordsOf(t, drain(t, open(t, o))))); n != torn {
			t.Errorf("%d records of %d requests", n, torn)
		}
	})
}

func TestGateThatNoRetryOpens(t *testing.T) {
	o := spool.Options{Dir: t.TempDir()}
	open(t, o)
	if _, err := spool.OpenGate(o); !errors.Is(err, spool.ErrLocked) {
		t.Errorf("a folder in use: %v", err)
	}
	o.Dir = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(o.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	gate, err := spool.OpenGate(o)
	if err != nil || !errors.Is(gate.Shut(), unix.ENOTDIR) {
		t.Fatalf("a file where the folder belongs: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := gate.Run(ctx); err != nil {
		t.Errorf("told to stop: %v", err)
	}
}
