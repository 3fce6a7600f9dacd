package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// room is disk space of one segment, set aside in a file for what frees the disk in
// the end: batches, which must be on disk before they are sent, and what settles
// them. Without it a spool that filled its disk could not ship its way out. Where a
// file system can set no blocks aside it is empty.
type room struct {
	path  string
	bytes int64
	held  bool
	why   error // there is none, where it is not held
}

func newRoom(dir string, bytes int64) room {
	r := room{path: filepath.Join(dir, "room"), bytes: bytes, why: errNoRoom}
	_, err := os.Lstat(r.path)
	r.held = err == nil // of an earlier boot
	return r
}

// take sets the room aside, all of it or nothing.
func (r *room) take() error {
	err := r.reserve()
	switch {
	case err == nil:
		r.held, r.why = true, errNoRoom
		return nil
	case isDiskFull(err):
		r.why = fmt.Errorf("%w: no room of %d bytes can be set aside on the disk: %w", ErrFull, r.bytes, err)
	default:
		r.why = fmt.Errorf("room of the usage spool: %w", err)
	}
	return r.why
}

// reserve follows no link: what it leads to need not be on this disk.
func (r *room) reserve() error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := reserve(f, r.bytes); err != nil {
		return errors.Join(err, os.Remove(r.path))
	}
	return nil
}

// give frees the room; false: it was given already.
func (r *room) give() bool {
	if !r.held {
		return false
	}
	r.held = false
	return os.Remove(r.path) == nil
}

// appendFreeing appends what frees the disk in the end, into the room if need be.
// Nothing new starts before the room is there again.
func (l *Log) appendFreeing(frame []byte) (*segment, int64, error) {
	s, offset, err := l.append(frame)
	if isDiskFull(err) && l.room.give() {
		l.opts.Logger.Warn("the disk is full: usage is shipped in the room set aside, new requests are refused")
		return l.append(frame)
	}
	return s, offset, err
}

// mend takes the room back and writes the ends that wait; false: it is to be tried
// again. Ends get the room only when nothing else is there to ship.
func (l *Log) mend() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.room.held {
		l.leaveSettled()
		if l.takeRoom() {
			l.opts.Logger.Info("the disk has room again")
		}
	}
	err := l.late.first(l)
	if errors.Is(err, ErrFull) && l.unbatched == 0 && !slices.ContainsFunc(l.batches, (*batchRef).stands) {
		l.room.give()
		err = l.late.write(l)
	}
	return l.mendStone() && err == nil && l.room.held
}

// takeRoom says why there is none, once.
func (l *Log) takeRoom() bool {
	said := l.room.why.Error()
	err := l.room.take()
	if err != nil && err.Error() != said {
		l.opts.Logger.Error("new requests are refused: no room can be set aside for shipping what is recorded", "error", err)
	}
	return err == nil
}

// leaveSettled goes on in a new segment when all of the current one is settled, so
// that the current one can go.
func (l *Log) leaveSettled() {
	if s := l.current(); s.size == s.head || !l.settledWhole(s) {
		return
	}
	if err := l.rotate(); err != nil {
		l.opts.Logger.Warn("a settled spool segment takes room", "segment", l.current().path, "error", err)
		return
	}
	signal(l.dirty)
}
