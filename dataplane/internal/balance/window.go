package balance

import "time"

// span is how far a window looks back, in seconds.
const span = 10

// window counts the requests of the last seconds.
type window struct {
	slots [span]slot
}

type slot struct {
	second           int64
	requests, failed int
}

func (w *window) add(now int64, failed bool) {
	second := now / int64(time.Second)
	s := &w.slots[(second%span+span)%span]
	if s.second != second {
		*s = slot{second: second}
	}
	s.requests++
	if failed {
		s.failed++
	}
}

func (w *window) sum(now int64) (requests, failed int) {
	second := now / int64(time.Second)
	for _, s := range w.slots {
		if s.second > second-span && s.second <= second {
			requests += s.requests
			failed += s.failed
		}
	}
	return requests, failed
}
