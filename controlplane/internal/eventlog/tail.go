package eventlog

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	pollInterval  = 20 * time.Millisecond
	sweepInterval = 10 * time.Second
	errorPause    = time.Second
)

// HeadSource tells which logs went on.
type HeadSource interface {
	// Changed returns at least the heads that moved since the answer that gave
	// cursor, and the next cursor. The empty cursor asks for all.
	Changed(ctx context.Context, cursor string) (moves []Move, next string, err error)
}

// Tailer reads the heads of all logs for one process and wakes its subscribers.
type Tailer struct {
	source HeadSource
	logger *slog.Logger

	mu          sync.Mutex
	known       map[uuid.UUID]Move
	subscribers map[*subscriber]struct{}
}

// NewTailer returns a tailer that reads once Run runs.
func NewTailer(source HeadSource, logger *slog.Logger) *Tailer {
	return &Tailer{
		source: source, logger: logger,
		known: map[uuid.UUID]Move{}, subscribers: map[*subscriber]struct{}{},
	}
}

// Run polls until ctx ends: every 20 ms what changed, every 10 s everything.
func (t *Tailer) Run(ctx context.Context) {
	var cursor string
	var swept time.Time
	for {
		pause := pollInterval
		if time.Since(swept) >= sweepInterval {
			cursor = ""
		}
		full := cursor == ""
		moves, next, err := t.source.Changed(ctx, cursor)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			t.logger.WarnContext(ctx, "log is not followed", "error", err)
			pause = errorPause
		default:
			if full {
				swept = time.Now()
			}
			cursor = next
			t.publish(moves)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// publish wakes subscribers for heads that are not as known: a restored database
// may have lower ones.
func (t *Tailer) publish(moves []Move) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range moves {
		if was, ok := t.known[m.OrganizationID]; ok && was == m {
			continue
		}
		t.known[m.OrganizationID] = m
		for s := range t.subscribers {
			s.offer(m.Head)
		}
	}
}

// Subscribe returns a channel of heads: all known ones first, then every change,
// of each organization only the latest. cancel closes the channel. Wake-ups may
// be doubled; a subscriber reads the log, not the wake-up, to learn what is true.
func (t *Tailer) Subscribe() (heads <-chan Head, cancel func()) {
	s := newSubscriber()
	t.mu.Lock()
	for _, m := range t.known {
		s.offer(m.Head)
	}
	t.subscribers[s] = struct{}{}
	t.mu.Unlock()

	done := make(chan struct{})
	go func() {
		defer close(done)
		s.deliver()
	}()
	return s.out, sync.OnceFunc(func() {
		t.mu.Lock()
		delete(t.subscribers, s)
		t.mu.Unlock()
		close(s.stop)
		<-done
	})
}
