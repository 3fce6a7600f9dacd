package spool

// maxRecent bounds the ends in memory that are in no batch yet, bytes of their frames.
const maxRecent = 1 << 20

// place is where a frame stands.
type place struct {
	number uint64 // of the segment
	offset int64
}

func (p place) before(o place) bool {
	return p.number < o.number || p.number == o.number && p.offset < o.offset
}

// recent are the ends that were just written, so that a batch of them reads nothing back:
// every one from a place on. What does not fit is read from its segment, as after a start.
type recent struct {
	from  place
	ends  []recentEnd
	bytes int
	most  int
}

type recentEnd struct {
	place
	frame []byte
}

// keep takes in the end that was written last.
func (r *recent) keep(at place, frame []byte) {
	r.ends = append(r.ends, recentEnd{at, frame})
	r.bytes += len(frame)
	for r.bytes > r.most {
		first := r.ends[0]
		r.from = place{first.number, first.offset + int64(len(first.frame))}
		r.drop(1)
	}
}

func (r *recent) drop(count int) {
	for _, e := range r.ends[:count] {
		r.bytes -= len(e.frame)
	}
	clear(r.ends[:count])
	if r.ends = r.ends[count:]; len(r.ends) == 0 {
		r.ends = nil
	}
}

// ahead are the next ends of a segment, as many as a batch may have and one more, and up to
// where they are all: to the limit, or the end that follows. False: some are not here.
func (r *recent) ahead(from place, limit int64) (ends []recentEnd, upTo int64, ok bool) {
	if from.before(r.from) {
		return nil, 0, false
	}
	for _, e := range r.ends {
		switch {
		case e.before(from):
		case !e.before(place{from.number, limit}):
			return ends, limit, true
		case len(ends) > maxBatchRecords:
			return ends, e.offset, true
		default:
			ends = append(ends, e)
		}
	}
	return ends, limit, true
}

// forget lets go of what stands before a place: it was read.
func (r *recent) forget(upTo place) {
	count := 0
	for count < len(r.ends) && r.ends[count].before(upTo) {
		count++
	}
	r.drop(count)
	if r.from.before(upTo) {
		r.from = upTo
	}
}

// gatherRecent reads on from memory; false: it has to be read from the segment.
func (l *Log) gatherRecent(s *segment, limit int64) bool {
	c := &l.cursor
	l.mu.Lock()
	ends, upTo, ok := l.recent.ahead(place{s.number, c.offset}, limit)
	l.mu.Unlock()
	if !ok {
		return false
	}
	batched := l.batchedOf(s.boot)
	for _, e := range ends {
		if !l.offer(s, batched, e.frame[frameHead:]) {
			upTo = e.offset
			break
		}
	}
	c.offset = upTo
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent.forget(place{s.number, upTo})
	return true
}
