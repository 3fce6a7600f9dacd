package eventlog

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

// heads is a source whose answers the test changes.
type heads struct {
	mu    sync.Mutex
	next  []Head
	by    string
	err   error
	sweep int
}

func (h *heads) set(next []Head, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next, h.err = next, err
}

func (h *heads) Changed(_ context.Context, cursor string) ([]Move, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if cursor == "" {
		h.sweep++
	}
	var moves []Move
	for _, head := range h.next {
		moves = append(moves, Move{Head: head, By: h.by})
	}
	return moves, "1", h.err
}

var a, b = uuid.MustParse("00000000-0000-0000-0000-00000000000a"), uuid.MustParse("00000000-0000-0000-0000-00000000000b")

// follow runs a tailer in a bubble until the test ends.
func follow(t *testing.T, test func(source *heads, tailer *Tailer)) {
	synctest.Test(t, func(t *testing.T) {
		source := &heads{}
		tailer := NewTailer(source, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { tailer.Run(ctx); close(done) }()
		test(source, tailer)
		stop()
		<-done
	})
}

func TestTailer(t *testing.T) {
	t.Run("wakes_within_one_poll", func(t *testing.T) {
		follow(t, func(source *heads, tailer *Tailer) {
			got, cancel := tailer.Subscribe()
			defer cancel()
			began := time.Now()
			source.set([]Head{{a, 1}}, nil)
			if h := <-got; h != (Head{a, 1}) || time.Since(began) > pollInterval {
				t.Errorf("%v after %v", h, time.Since(began))
			}
		})
	})
	t.Run("wakes_for_what_hangs_on_the_log", func(t *testing.T) {
		follow(t, func(source *heads, tailer *Tailer) {
			got, cancel := tailer.Subscribe()
			defer cancel()
			source.set([]Head{{a, 1}}, nil)
			<-got
			source.mu.Lock()
			source.by = "77"
			source.mu.Unlock()
			began := time.Now()
			if h := <-got; h != (Head{a, 1}) || time.Since(began) > pollInterval {
				t.Errorf("%v after %v", h, time.Since(began))
			}
		})
	})
	t.Run("latest_wins_per_organization", func(t *testing.T) {
		follow(t, func(source *heads, tailer *Tailer) {
			source.set([]Head{{b, 1}}, nil)
			time.Sleep(pollInterval)
			got, cancel := tailer.Subscribe()
			defer cancel()
			for version := range int64(9) {
				source.set([]Head{{a, version + 1}}, nil)
				time.Sleep(2 * pollInterval)
			}
			first, second := <-got, <-got
			if first != (Head{b, 1}) || second != (Head{a, 9}) {
				t.Errorf("got %v, %v", first, second)
			}
		})
	})
	t.Run("late_subscribers_get_what_is_known", func(t *testing.T) {
		follow(t, func(source *heads, tailer *Tailer) {
			source.set([]Head{{a, 7}}, nil)
			time.Sleep(2 * pollInterval)
			got, cancel := tailer.Subscribe()
			defer cancel()
			if h := <-got; h != (Head{a, 7}) {
				t.Errorf("got %v", h)
			}
		})
	})
	t.Run("goes_on_after_errors_and_sweeps", func(t *testing.T) {
		follow(t, func(source *heads, tailer *Tailer) {
			got, cancel := tailer.Subscribe()
			defer cancel()
			source.set(nil, errors.New("store is away"))
			time.Sleep(5 * time.Second)
			source.set([]Head{{a, 3}}, nil)
			<-got
			time.Sleep(3 * sweepInterval)
			source.mu.Lock()
			defer source.mu.Unlock()
			if source.sweep < 4 {
				t.Errorf("swept %d times", source.sweep)
			}
		})
	})
	t.Run("cancel_closes_the_channel", func(t *testing.T) {
		follow(t, func(_ *heads, tailer *Tailer) {
			got, cancel := tailer.Subscribe()
			cancel()
			cancel()
			if _, open := <-got; open {
				t.Error("open after cancel")
			}
		})
	})
}
