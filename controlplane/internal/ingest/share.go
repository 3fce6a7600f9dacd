package ingest

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// share is how many partitions this process takes, of those that it could: each process
// the same, so that one that is added gets some and one that goes leaves its own to the
// others.
type share struct {
	mu        sync.Mutex
	count     int               // partitions of the topic
	processes int               // that live, this one included
	held      map[int]time.Time // partitions, and until when they stay
}

func newShare() *share { return &share{held: map[int]time.Time{}} }

func (s *share) partitions(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count = n
}

func (s *share) among(processes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes = processes
}

// most is none before the others are known.
func (s *share) most() int {
	if s.processes == 0 {
		return 0
	}
	return (s.count + s.processes - 1) / s.processes
}

// room tells whether one more partition is within the share.
func (s *share) room() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held) < s.most()
}

// has tells whether a partition is held.
func (s *share) has(partition int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.held[partition]
	return ok
}

// hold a partition, for so long at least.
func (s *share) hold(partition int, least time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.held[partition]; !ok {
		s.held[partition] = time.Now().Add(least)
	}
}

func (s *share) drop(partition int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, partition)
}

// surplus tells whether a partition is to be given up, and takes it off: the share became
// smaller, and of those that may go it has the highest number.
func (s *share) surplus(partition int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until, ok := s.held[partition]; !ok || len(s.held) <= s.most() || time.Now().Before(until) {
		return false
	}
	for other, until := range s.held {
		if other > partition && time.Now().After(until) {
			return false
		}
	}
	delete(s.held, partition)
	return true
}

// shareOut says that this process lives, and learns how many do.
func (in *Ingest) shareOut(ctx context.Context, t topic) {
	for ctx.Err() == nil {
		in.countProcesses(ctx, t)
		pause(ctx, in.config.OwnFor/3)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_ = in.store.leave(ctx, in.owner) // its time runs out
}

func (in *Ingest) countProcesses(ctx context.Context, t topic) {
	processes, err := in.store.live(ctx, in.owner, t.id)
	if err == nil {
		in.share.among(processes)
	} else if ctx.Err() == nil {
		in.metrics.errors.WithLabelValues(partOf(err)).Inc()
		in.config.Log.WarnContext(ctx, "the other ingest processes are not known", "error", err)
	}
}

// live notes one process and counts all that were noted lately.
func (s store) live(ctx context.Context, owner, topicID uuid.UUID) (processes int, err error) {
	err = s.db.System(ctx, func(tx pgx.Tx) error {
		var todo pgx.Batch
		todo.Queue(`DELETE FROM ingest_process WHERE alive_until < clock_timestamp() - interval '1 hour'`)
		todo.Queue(`
			INSERT INTO ingest_process (process, topic_id, alive_until) VALUES ($1, $2, clock_timestamp() + $3)
			ON CONFLICT (process) DO UPDATE SET topic_id = $2, alive_until = clock_timestamp() + $3`, owner, topicID, s.ownFor)
		todo.Queue(`SELECT count(*) FROM ingest_process WHERE topic_id = $1 AND alive_until > clock_timestamp()`, topicID).
			QueryRow(func(row pgx.Row) error { return row.Scan(&processes) })
		return tx.SendBatch(ctx, &todo).Close()
	})
	return processes, inPostgres(err, "count ingest processes")
}

func (s store) leave(ctx context.Context, owner uuid.UUID) error {
	return inPostgres(s.db.System(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM ingest_process WHERE process = $1`, owner)
		return err
	}), "leave the ingest processes")
}
