package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"
)

type placed struct {
	offset  int64
	kind    byte
	payload string
}

// write makes a segment of frames whose sizes and contents come from seedBytes.
func writeFrames(seed uint32, shape []byte) (data []byte, frames []placed) {
	for i, b := range shape {
		payload := bytes.Repeat(shape[:1+i%len(shape)], 1+int(b)/8)
		kind := 1 + b%(frameTypes-1)
		frame := append(newFrame(kind, 0, len(payload)), payload...)
		offset := int64(len(data))
		seal(frame, seed, offset)
		data = append(data, frame...)
		frames = append(frames, placed{offset, kind, string(payload)})
	}
	return data, frames
}

func scanAll(data []byte, seed uint32) (found map[int64]placed, losses []loss) {
	found = map[int64]placed{}
	scan(data, seed, 0, true,
		func(offset int64, kind byte, payload []byte) bool {
			found[offset] = placed{offset, kind, string(payload)}
			return true
		},
		func(l loss) { losses = append(losses, l) })
	return found, losses
}

func FuzzScan(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 4}, []byte{}, uint16(0))
	f.Add([]byte{9, 80, 7, 6}, []byte{0, 20, 0, 1}, uint16(0))
	f.Add([]byte{255, 255, 255}, []byte{0, 3, 0, 255}, uint16(11))
	f.Fuzz(func(t *testing.T, shape, changes []byte, cut uint16) {
		if len(shape) > 40 || len(changes) > 40 {
			return
		}
		seed := crc32.Checksum([]byte("a segment"), castagnoli)
		clean, frames := writeFrames(seed, shape)
		data := bytes.Clone(clean)
		for ; len(changes) >= 4 && len(data) > 0; changes = changes[4:] {
			data[int(binary.BigEndian.Uint16(changes))%len(data)] ^= changes[3]
		}
		data = data[:len(data)-min(int(cut), len(data))]
		found, losses := scanAll(data, seed)
		readable, lost := 0, make([]bool, len(data))
		for _, l := range losses {
			for i := l.from; i < l.to; i++ {
				lost[i] = true
			}
		}
		for _, w := range frames {
			end := int(w.offset) + frameHead + len(w.payload)
			whole := end <= len(data) && bytes.Equal(data[w.offset:end], clean[w.offset:end])
			got, ok := found[w.offset]
			if ok != whole || ok && got != w {
				t.Fatalf("frame at %d: found %v, untouched %v", w.offset, ok, whole)
			}
			if !whole && int(w.offset) < len(data) && !lost[w.offset] {
				t.Fatalf("frame at %d is gone and nobody says so", w.offset)
			}
			if whole {
				readable++
			}
		}
		if len(found) != readable {
			t.Fatalf("%d frames found, %d were written", len(found), readable)
		}
	})
}

func FuzzScanForeign(f *testing.F) {
	data, _ := writeFrames(1, []byte{1, 2, 3})
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		// Frames that were written elsewhere are none here.
		if found, _ := scanAll(data, crc32.Checksum([]byte("another segment"), castagnoli)); len(found) > 0 {
			t.Fatalf("invented %v", found)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{4, 0, 0, 0, '{', '}', 0, 0})
	f.Add([]byte(`{"boots":[{"boot":"00000001-9f86d081884c7d65","last":-1,"settled":[{"First":9,"Last":1}]}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if head, _, err := decodeBatch(payload); err == nil && (head.First < 1 || head.Last < head.First) {
			t.Fatalf("batch %+v", head)
		}
		l := &Log{boots: map[string]*bootState{}}
		_, _ = l.learn(payload)
		for _, b := range l.boots {
			for _, s := range b.settled {
				if s.Last < s.First {
					t.Fatalf("settled %v", b.settled)
				}
			}
		}
		_, _ = decodeEnd(payload)
		_, _, _ = decodeStart(payload)
	})
}

func TestScanInPieces(t *testing.T) {
	shape := []byte{50, 3, 99, 180, 7, 31, 250, 12}
	clean, frames := writeFrames(7, shape)
	for _, flip := range []int{-1, 0, 3, 60, 300} {
		data := bytes.Clone(clean)
		if flip >= 0 {
			data[flip] ^= 0x10
		}
		want, _ := scanAll(data, 7)
		if flip < 0 && len(want) != len(frames) {
			t.Fatalf("%d frames of %d", len(want), len(frames))
		}
		for piece := 1; piece < len(data); piece += 7 {
			got, at, size := map[int64]placed{}, int64(0), int64(piece)
			for at < int64(len(data)) {
				end := min(at+size, int64(len(data)))
				stopped := scan(data[at:end], 7, at, end == int64(len(data)),
					func(offset int64, kind byte, payload []byte) bool {
						got[offset] = placed{offset, kind, string(payload)}
						return true
					}, func(loss) {})
				if size = int64(piece); stopped == at {
					size = 2 * (end - at)
				}
				at = stopped
			}
			if len(got) != len(want) {
				t.Fatalf("flip at %d, pieces of %d: %d frames, want %d", flip, piece, len(got), len(want))
			}
		}
	}
}
