package spool

// loss is a stretch of a segment that holds no readable frame.
type loss struct {
	from, to int64
	tail     bool // up to the end of the segment: a write that was cut short
}

// scan calls frame for each frame in data, which begins at offset base of the
// segment. Bytes that are no frame are skipped up to the next that is one, and
// told to lost. It returns where it stopped: the end of data, or, when more of
// the segment follows (final is false), a place from which to go on.
func scan(data []byte, seed uint32, base int64, final bool, frame func(offset int64, kind byte, payload []byte) bool, lost func(loss)) int64 {
	at := 0
	for at < len(data) {
		f, cut := parseFrame(data[at:], seed, base+int64(at))
		if f != nil {
			if !frame(base+int64(at), f[8], f[frameHead:]) {
				return base + int64(at)
			}
			at += len(f)
			continue
		}
		if cut && !final {
			break
		}
		next := resync(data, at+1, seed, base)
		if next < 0 && !final {
			break
		}
		if next < 0 {
			lost(loss{from: base + int64(at), to: base + int64(len(data)), tail: true})
			at = len(data)
			break
		}
		lost(loss{from: base + int64(at), to: base + int64(next)})
		at = next
	}
	return base + int64(at)
}

func resync(data []byte, from int, seed uint32, base int64) int {
	for at := from; at+frameHead <= len(data); at++ {
		if f, _ := parseFrame(data[at:], seed, base+int64(at)); f != nil {
			return at
		}
	}
	return -1
}
