package spool_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
)

const ended, leftOpen = 40, 5

// template makes a folder with three boots: batches closed and not, requests
// ended and open.
func template(t *testing.T) (dir string) {
	dir = t.TempDir()
	for boot := range 3 {
		l := open(t, spool.Options{Dir: dir, SegmentBytes: 2 << 10, FsyncEvery: time.Millisecond})
		for i := range leftOpen {
			start(t, l, fmt.Sprintf("open/%d/%d", boot, i))
		}
		for i := range ended {
			request(t, l, fmt.Sprintf("ended/%d/%d", boot, i))
			if i == ended/2 {
				drain(t, l)
			}
		}
		shut(t, l)
	}
	return dir
}

func copyDir(t *testing.T, from string) (to string) {
	t.Helper()
	to = t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

type recovered struct {
	ended, open int
	log         string
	damaged     int64
}

// reopen collects what is there and demands that each request has one record.
func reopen(t *testing.T, dir string) recovered {
	t.Helper()
	var log strings.Builder
	l := open(t, spool.Options{Dir: dir, SegmentBytes: 2 << 10, FsyncEvery: time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	var r recovered
	seen := map[string]bool{}
	for _, record := range recordsOf(t, drain(t, l)) {
		name := record.GetRequestId()
		if seen[name] {
			t.Fatalf("%s has two records", name)
		}
		seen[name] = true
		if strings.HasPrefix(name, "ended/") {
			r.ended++
		} else if strings.HasPrefix(name, "open/") {
			r.open++
		} else {
			t.Fatalf("invented %q", name)
		}
	}
	r.damaged = l.Stats().Damaged
	shut(t, l)
	r.log = log.String()
	return r
}

func TestDamage(t *testing.T) {
	whole := template(t)
	t.Run("none", func(t *testing.T) {
		r := reopen(t, copyDir(t, whole))
		if r.ended != 3*ended || r.open != 3*leftOpen || r.damaged != 0 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("one_flipped_bit_anywhere", func(t *testing.T) {
		for range 100 {
			dir := copyDir(t, whole)
			all := segments(t, dir)
			path := all[rand.N(len(all))]
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			at := rand.N(len(data))
			data[at] ^= 1 << rand.N(8)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			r := reopen(t, dir)
			where := fmt.Sprintf("%s at %d: %d ended, %d open", filepath.Base(path), at, r.ended, r.open)
			if r.ended < 3*ended-1 || r.open < 3*leftOpen-1 || r.ended+r.open < 3*(ended+leftOpen)-1 {
				t.Fatal("lost more than one: " + where)
			}
			if !strings.Contains(r.log, "damaged") && !strings.Contains(r.log, "torn write") {
				t.Fatal("nothing was said: " + where)
			}
		}
	})
	t.Run("a_write_cut_anywhere", func(t *testing.T) {
		for range 40 {
			dir := copyDir(t, whole)
			all := segments(t, dir)
			path := all[len(all)-1]
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			cut := rand.Int64N(info.Size())
			if err := os.Truncate(path, cut); err != nil {
				t.Fatal(err)
			}
			r := reopen(t, dir)
			// What the last segment held may be gone: starts and ends alike, as if
			// they had never been written.
			if r.ended+r.open < 2*(ended+leftOpen) || r.damaged != 0 {
				t.Fatalf("cut at %d: %+v", cut, r)
			}
		}
	})
	t.Run("garbage_after_the_end", func(t *testing.T) {
		dir := copyDir(t, whole)
		all := segments(t, dir)
		f, err := os.OpenFile(all[len(all)-1], os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(make([]byte, 5000)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		r := reopen(t, dir)
		if r.ended != 3*ended || r.open != 3*leftOpen || !strings.Contains(r.log, "torn write") {
			t.Errorf("%+v", r)
		}
		if again := reopen(t, dir); strings.Contains(again.log, "torn write") {
			t.Error("said again after it was cut")
		}
	})
}
