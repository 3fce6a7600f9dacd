package quota

import "time"

// Span is one window: from Start until before End, both in UTC. The zero Span has no
// bounds.
type Span struct{ Start, End time.Time }

// Contains tells whether an instant is in the span.
func (s Span) Contains(t time.Time) bool { return !t.Before(s.Start) && t.Before(s.End) }

// Grid returns the span that contains an instant, of those with a length of whole
// seconds that follow each other from 1970-01-01T00:00:00Z on, and before it.
func Grid(t time.Time, length time.Duration) Span {
	seconds := int64(length / time.Second)
	into := ((t.Unix() % seconds) + seconds) % seconds
	start := time.Unix(t.Unix()-into, 0).UTC()
	return Span{start, start.Add(length)}
}
