package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// slots is a file of three places of one size, whose blocks are all written when it is
// made: what is updated in it later needs no room. An update names its number, and the
// highest that can be read counts. One place is known to be durable, one may be on its way
// to the disk, and only the third is written to: power that fails in the midst of an
// update, or of an fsync, leaves the one before it. An update goes into one page, so that
// a kill leaves either.
type slots struct {
	path string
	file *os.File // nil: there is none
	why  error    // there is none
	seq  uint64

	at, durable, frozen int  // places: written to, durable, in an fsync (-1: none)
	dirty               bool // at holds what no fsync covers
	bad                 int  // places that could not be read
}

const (
	slotCount = 3
	slotBytes = 4096 // one page
	slotHead  = 16   // CRC-32C of what follows, length of the payload, number of the update
	slotMax   = slotBytes - slotHead
)

// openSlots returns what the newest update says, nil where there is none, and zeroes
// places that can't be read.
func openSlots(dir string) (*slots, []byte, error) {
	s := &slots{path: filepath.Join(dir, "tombstone"), frozen: -1, at: 1}
	payload, err := s.open()
	if err == nil {
		return s, payload, nil
	}
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
	s.why = fmt.Errorf("tombstone of the usage spool: %w", err)
	if info, stat := os.Lstat(s.path); isDiskFull(err) && (stat != nil || info.Size() == 0) {
		s.why = fmt.Errorf("%w: %w", ErrFull, s.why)
		return s, nil, nil //nolint:nilerr // said when a slot is needed
	}
	return s, nil, s.why
}

func (s *slots) open() (payload []byte, err error) {
	if s.file, err = os.OpenFile(s.path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(s.file, slotCount*slotBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) != slotCount*slotBytes {
		return s.read(data), s.make(data)
	}
	payload = s.read(data)
	return payload, datasync(s.file)
}

// make fills the file, keeping of data what is there. One that is not whole and holds
// nothing is removed when there is no room for it.
func (s *slots) make(data []byte) error {
	whole := make([]byte, slotCount*slotBytes)
	copy(whole, data)
	_, err := s.file.WriteAt(whole, 0)
	if err == nil {
		err = errors.Join(s.file.Truncate(int64(len(whole))), datasync(s.file), syncDir(filepath.Dir(s.path)))
	}
	if err != nil && len(data) == 0 {
		return errors.Join(err, os.Remove(s.path))
	}
	return err
}

// read finds the newest update, and makes the place of it the one that is durable.
func (s *slots) read(data []byte) (newest []byte) {
	for i := range slotCount {
		if i*slotBytes >= len(data) {
			break
		}
		place := data[i*slotBytes : min((i+1)*slotBytes, len(data))]
		seq, payload, empty := parseSlot(place)
		switch {
		case empty:
		case payload == nil:
			s.bad++
			clear(place)
			_, _ = s.file.WriteAt(place, int64(i*slotBytes)) // else it is said again
		case newest == nil || seq > s.seq:
			newest, s.seq, s.durable, s.at = payload, seq, i, (i+1)%slotCount
		}
	}
	return newest
}

// parseSlot returns nil where a place can't be read.
func parseSlot(place []byte) (seq uint64, payload []byte, empty bool) {
	if len(place) < slotHead {
		return 0, nil, allZero(place)
	}
	length := binary.LittleEndian.Uint32(place[4:])
	if length == 0 || int(length) > len(place)-slotHead {
		return 0, nil, allZero(place)
	}
	end := slotHead + int(length)
	if binary.LittleEndian.Uint32(place) != crc32.Checksum(place[4:end], castagnoli) {
		return 0, nil, false
	}
	return binary.LittleEndian.Uint64(place[8:]), place[slotHead:end:end], false
}

func allZero(data []byte) bool {
	for _, b := range data {
		if b != 0 {
			return false
		}
	}
	return true
}

// write makes an update of slotMax bytes at most; it survives kill -9 when it returns.
// Slot is room for its head and the payload.
func (s *slots) write(slot []byte) error {
	if s.file == nil {
		return s.why
	}
	binary.LittleEndian.PutUint32(slot[4:], uint32(len(slot)-slotHead))
	binary.LittleEndian.PutUint64(slot[8:], s.seq+1)
	binary.LittleEndian.PutUint32(slot, crc32.Checksum(slot[4:], castagnoli))
	if _, err := s.file.WriteAt(slot, int64(s.at*slotBytes)); err != nil {
		if isDiskFull(err) { // a file system that writes nothing in place
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
		return fmt.Errorf("write tombstone: %w", err)
	}
	s.seq++
	s.dirty = true
	return nil
}

// freeze readies what is written for an fsync, and says whether one is needed. What is
// written from now on goes elsewhere.
func (s *slots) freeze() bool {
	if !s.dirty {
		return false
	}
	s.dirty, s.frozen = false, s.at
	s.at = slotCount - s.durable - s.frozen // the third
	return true
}

// thaw: the fsync succeeded.
func (s *slots) thaw() { s.durable, s.frozen = s.frozen, -1 }

func (s *slots) close() {
	if s.file != nil {
		s.file.Close()
	}
}
