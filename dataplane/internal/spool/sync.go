package spool

import (
	"fmt"
	"os"
	"time"
)

// syncLoop makes writes durable in groups: one fsync for all of 10 ms.
func (l *Log) syncLoop() {
	defer close(l.stopped)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var retry <-chan time.Time // while the disk is full
	for {
		select {
		case <-l.stop:
			l.sync()
			return
		case <-l.dirty:
		case <-retry:
		}
		timer.Reset(l.opts.FsyncEvery)
		select {
		case <-l.stop:
		case <-l.kick:
		case <-timer.C:
		}
		l.sync()
		l.removeSettled()
		if retry = nil; !l.mend() {
			retry = time.After(l.opts.RetryEvery)
		}
	}
}

type unsynced struct {
	segment *segment
	size    int64
	fresh   bool
}

func (l *Log) sync() {
	l.mu.Lock()
	var work []unsynced
	for _, s := range l.segments {
		if s.durable < s.size {
			work = append(work, unsynced{s, s.size, s.durable == 0})
		}
	}
	last := l.bootState(l.boot).written.last()
	slot := l.tombstone.freeze()
	l.mu.Unlock()
	err := l.flush(work, slot)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		// The kernel may have dropped the pages that it could not write: what they
		// held can't be promised, and a second fsync that succeeds proves nothing.
		l.failed = fmt.Errorf("fsync spool: %w", err)
		l.opts.Logger.Error("spool can not be made durable; requests are refused until a restart", "error", err)
	} else {
		for _, w := range work {
			w.segment.durable = w.size
		}
		l.bootState(l.boot).durable = last
		l.tombstone.thaw()
		l.buried()
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// flush begins with the slot: what it says is in a record, is.
func (l *Log) flush(work []unsynced, slot *os.File) error {
	fresh := false
	if slot != nil {
		if err := datasync(slot); err != nil {
			return err
		}
	}
	for _, w := range work {
		if err := datasync(w.segment.file); err != nil {
			return err
		}
		fresh = fresh || w.fresh
	}
	if fresh {
		return syncDir(l.opts.Dir)
	}
	return nil
}

// removeSettled deletes the oldest segments as long as all they hold is settled, or, where
// space is short, acknowledged, and the head of the one after them is durable.
func (l *Log) removeSettled() {
	l.mu.Lock()
	count := 0
	for l.tombstone.clean && count+1 < len(l.segments) && l.removable(l.segments[count], l.segments[count+1]) {
		l.bytes -= l.segments[count].size
		l.letGo(l.segments[count])
		count++
	}
	gone := l.segments[:count:count]
	l.segments = l.segments[count:]
	l.mu.Unlock()
	if count == 0 {
		return
	}
	l.files.Lock()
	defer l.files.Unlock()
	for _, s := range gone {
		s.gone = true
		s.file.Close()
		if err := os.Remove(s.path); err != nil {
			l.opts.Logger.Error("remove settled spool segment", "segment", s.path, "error", err)
		}
	}
	if err := syncDir(l.opts.Dir); err != nil {
		l.opts.Logger.Error("sync spool folder", "error", err)
	}
}

func (l *Log) removable(s, next *segment) bool {
	if next.durable < next.head || next.durable == 0 || s.durable < s.size {
		return false
	}
	return l.settledWhole(s) || l.short() && l.ackedWhole(s)
}

func (l *Log) settledWhole(s *segment) bool {
	if !l.bootState(s.boot).settled.coversAll(s.ends) {
		return false
	}
	for _, b := range s.batches {
		if !l.bootState(b.Boot).settled.covers(b.First, b.Last) {
			return false
		}
	}
	return true
}
