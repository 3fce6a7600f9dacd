package spool

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const segmentSuffix = ".spool"

// segment is one file of one boot: "0000000007.00000001-9f86d081884c7d65.spool".
// Number and boot stand in the name so that no flipped bit takes them away.
type segment struct {
	number  uint64
	boot    string
	path    string
	file    *os.File
	seed    uint32
	head    int64 // end of the checkpoint and the starts it carries
	size    int64
	durable int64
	ends    spans      // of its own boot
	batches []batchKey // closed batches that stand in it
	gone    bool       // guarded by Log.files
}

func segmentName(number uint64, boot string) string {
	return fmt.Sprintf("%010d.%s%s", number, boot, segmentSuffix)
}

func newSegment(dir string, number uint64, boot string, flag int) (*segment, error) {
	name := segmentName(number, boot)
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open spool segment: %w", err)
	}
	return &segment{number: number, boot: boot, path: path, file: f, seed: crc32.Checksum([]byte(name), castagnoli)}, nil
}

// createSegment makes a file with room set aside, where the file system can do
// that, so that ends can be written on a disk that others fill.
func createSegment(dir string, number uint64, boot string, room int64) (*segment, error) {
	s, err := newSegment(dir, number, boot, os.O_CREATE|os.O_EXCL|os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if room == 0 {
		return s, nil
	}
	if err := reserve(s.file, room); err != nil {
		s.file.Close()
		os.Remove(s.path)
		return nil, fmt.Errorf("reserve %d bytes for a spool segment: %w", room, err)
	}
	return s, nil
}

// listSegments opens the segments of a folder, oldest first.
func listSegments(dir string) ([]*segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list spool: %w", err)
	}
	var all []*segment
	for _, entry := range entries {
		number, boot, ok := parseSegmentName(entry.Name())
		if !ok {
			continue
		}
		s, err := newSegment(dir, number, boot, os.O_RDWR)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *segment) int { return strings.Compare(a.path, b.path) })
	return all, nil
}

func closeAll(all []*segment) {
	for _, s := range all {
		s.file.Close()
	}
}

func parseSegmentName(name string) (number uint64, boot string, ok bool) {
	digits, rest, _ := strings.Cut(name, ".")
	boot, ok = strings.CutSuffix(rest, segmentSuffix)
	if !ok || len(digits) != 10 {
		return 0, "", false
	}
	number, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0, "", false
	}
	_, err = bootCounter(boot)
	return number, boot, err == nil
}

// write puts a frame at the end and returns where it stands. After an error the
// segment is as it was, or broken is true.
func (s *segment) write(frame []byte) (offset int64, broken bool, err error) {
	offset = s.size
	seal(frame, s.seed, offset)
	if _, err := s.file.WriteAt(frame, offset); err != nil {
		return 0, s.file.Truncate(offset) != nil, fmt.Errorf("write spool: %w", err)
	}
	s.size += int64(len(frame))
	return offset, false, nil
}

// writeSealed puts frames at the end that are sealed for it, into a segment that goes if that
// fails.
func (s *segment) writeSealed(frames []byte) error {
	if _, err := s.file.WriteAt(frames, s.size); err != nil {
		return fmt.Errorf("write spool: %w", err)
	}
	s.size += int64(len(frames))
	return nil
}

// trim gives back the room that was set aside and not used.
func (s *segment) trim() error {
	if err := s.file.Truncate(s.size); err != nil {
		return fmt.Errorf("trim spool segment: %w", err)
	}
	return nil
}

func (s *segment) load(from, to int64) ([]byte, error) {
	data := make([]byte, to-from)
	if _, err := s.file.ReadAt(data, from); err != nil {
		return nil, fmt.Errorf("read spool segment: %w", err)
	}
	return data, nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
