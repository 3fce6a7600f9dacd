package eventlog

import (
	"sync"

	"github.com/google/uuid"
)

// subscriber holds at most one head per organization until it is taken.
type subscriber struct {
	out  chan Head
	stop chan struct{}
	wake chan struct{}

	mu      sync.Mutex
	pending map[uuid.UUID]int64
	order   []uuid.UUID
}

func newSubscriber() *subscriber {
	return &subscriber{
		out: make(chan Head), stop: make(chan struct{}), wake: make(chan struct{}, 1),
		pending: map[uuid.UUID]int64{},
	}
}

func (s *subscriber) offer(h Head) {
	s.mu.Lock()
	if _, waiting := s.pending[h.OrganizationID]; !waiting {
		s.order = append(s.order, h.OrganizationID)
	}
	s.pending[h.OrganizationID] = h.Version
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *subscriber) take() (Head, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) == 0 {
		return Head{}, false
	}
	h := Head{s.order[0], s.pending[s.order[0]]}
	delete(s.pending, h.OrganizationID)
	s.order = s.order[1:]
	return h, true
}

func (s *subscriber) deliver() {
	defer close(s.out)
	for {
		h, ok := s.take()
		if !ok {
			select {
			case <-s.wake:
			case <-s.stop:
				return
			}
			continue
		}
		select {
		case s.out <- h:
		case <-s.stop:
			return
		}
	}
}
