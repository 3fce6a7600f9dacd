package spool

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What is left of a batch that was released is a range of numbers: ends that wait need not
// wait for it, as it has nothing to ship and frees nothing.
func TestEndsThatWaitBesideReleasedBatches(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(Options{Dir: dir, RetryEvery: time.Millisecond, FsyncEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	id, err := l.Start(record(0))
	l.mu.Lock()
	l.batches = append(l.batches, &batchRef{batchKey: batchKey{l.boot, 100, 200}, acked: time.Now()})
	l.room.give()
	err = errors.Join(err, os.MkdirAll(filepath.Join(dir, "room", "in it"), 0o700)) // it can't be had again
	l.mu.Unlock()
	if err := errors.Join(err, l.End(id, record(1))); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(5 * time.Second); l.Stats().Late > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the end still waits")
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
