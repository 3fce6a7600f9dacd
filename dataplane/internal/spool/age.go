package spool

import "time"

// mark says when a record was written, or a moment before. Ages go by the monotonic clock:
// a clock that is set makes none of them negative, or a day longer.
type mark struct {
	boot string
	seq  int64
	at   time.Time
}

// markGap is how far apart marks are at least; more, the more there are: those of a day are
// some 10,000.
func (l *Log) markGap() time.Duration { return time.Second * time.Duration(1+len(l.marks)/600) }

// mark notes when a record was written, where the last note is old.
func (l *Log) mark(boot string, seq int64, at time.Time) {
	if n := len(l.marks); n > 0 && l.marks[n-1].boot == boot && at.Sub(l.marks[n-1].at) < l.markGap() {
		return
	}
	l.marks = append(l.marks, mark{boot, seq, at})
}

// dropMarks forgets those of records that are in batches. The first that is left is of the
// oldest that is in none.
func (l *Log) dropMarks() {
	gone := 0
	for ; gone < len(l.marks); gone++ {
		m := l.marks[gone]
		first := l.firstUnbatched(m.boot)
		next := gone+1 < len(l.marks) && l.marks[gone+1].boot == m.boot && l.marks[gone+1].seq <= first
		if first > 0 && !next {
			break
		}
	}
	l.marks = l.marks[gone:]
}

// firstUnbatched is 0 where every record of a boot is in a batch.
func (l *Log) firstUnbatched(boot string) int64 {
	b, ok := l.boots[boot]
	if !ok {
		return 0
	}
	for _, e := range b.written {
		first := e.First
		for _, in := range b.batched {
			if in.First <= first && first <= in.Last {
				first = in.Last + 1
			}
		}
		if first <= e.Last {
			return first
		}
	}
	return 0
}

// oldest is how long the oldest record that is not settled, or its batch, is there.
func (l *Log) oldest() (age time.Duration) {
	l.dropMarks()
	if len(l.marks) > 0 {
		age = time.Since(l.marks[0].at)
	}
	if len(l.batches) > 0 {
		age = max(age, time.Since(l.batches[0].at))
	}
	return age
}

// moment is when a wall clock of before Open showed these microseconds since the epoch; one
// that was ahead, or showed none, is taken for the time of Open.
func (l *Log) moment(us int64) time.Time {
	if us == 0 {
		return l.began
	}
	return l.began.Add(-max(0, l.opened.Round(0).Sub(time.UnixMicro(us))))
}
