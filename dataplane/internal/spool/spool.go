// Package spool is the agent's write-ahead log of usage: no request without a
// record, whatever dies. It owns the state folder's segments, hands out boots and
// sequence numbers, and gives closed batches to whoever ships them. It must not
// know where batches go, sign anything, or look into records.
//
// # Life of a record
//
// Start writes what is known before the request goes upstream, Again before it goes
// there once more; End gives it the next sequence number and writes the whole. Each is one write into the page
// cache, so it survives kill -9; a background fsync every 10 ms bounds what power
// loss can take. Only fsynced records are closed into batches, and a batch is
// fsynced before it is first handed out, so every retry has the same bytes, also
// after a restart. Numbers are told to others (Tails) only once they are fsynced.
//
// Open never writes into an old segment. It starts a new boot, and requests that
// an earlier boot left open become records of the new one, outcome interrupted,
// naming (boot, local id) in torn_from. A recovery that is killed is continued by
// the next: what has such a record is not open any more.
//
// # What is kept, and what is sent again
//
// A segment goes when ingest has settled all it holds, all older ones went, and
// the checkpoint of a later one is fsynced. Because segments go oldest first,
// what ends a start or closes a record is never gone before it.
//
// A broker's acknowledgement is kept in memory only. Within one boot an
// acknowledged batch is not sent again on every heartbeat that does not settle
// it yet: ingest may just be slow. It is sent again when it was acknowledged ten
// minutes ago while a later one of its boot is settled (the broker lost it), and
// after a restart, once. Both are safe, since ingest drops the repeat of a range
// with the same hash; both heal a broker that lost what it had acknowledged; and
// no write per acknowledgement is needed. Settled ranges are written down.
//
// # When the agent is another one
//
// An agent that enrols anew is another agent with the same folder. Records of the time
// before keep their boot and number. Those in closed batches go out as they are, with the
// signature of the agent that closed them; all others are closed for the agent of now:
// nobody has seen them, and the former key may be gone.
//
// # When it is full
//
// Start and Refuse return ErrFull when MaxBytes is reached; End never does, its
// room was set aside at the start. On a disk that is full before that, ends wait in
// memory, bounded, and are written first when there is room; until then nothing new
// starts. What is recorded is still shipped: batches go into the room of one segment
// that is set aside for them, and segments go when they are settled.
//
// Who would rather serve than record calls Forgo where Start or Again said ErrFull. Such
// requests are summed up in the tombstone, a file whose blocks are written when it is made,
// so that it takes no room: how many, attempts, tokens, cost. One counts from its start, its
// attempts as unpriced until its end. As soon as there is room the tombstone becomes one
// record of kind TOMBSTONE with a number of the boot. Its request id stands in the file
// first, so that a crash between the record and the emptied file loses and doubles nothing:
// a stone whose record is found is not counted again. A request whose start is in the spool
// is never in the tombstone: its end waits in memory, or the next boot reports it.
package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// What can be wrong; test with errors.Is.
var (
	// ErrFull means that the bound in bytes, or the disk, is reached.
	ErrFull = errors.New("usage spool is full")
	// ErrLocked means that another process uses the folder.
	ErrLocked = errors.New("state folder is in use")
	// ErrClosed means a call after Close.
	ErrClosed = errors.New("usage spool is closed")
	// ErrNotOpen means an End without Start, or a second one.
	ErrNotOpen = errors.New("no such open request")
	// ErrTooLarge means a record that no batch can hold.
	ErrTooLarge = errors.New("usage record too large")
)

// Options of a log; zero values mean the defaults named here.
type Options struct {
	Dir          string        // made when missing
	SegmentBytes int64         // 16 MiB; as much is set aside beside the segments
	MaxBytes     int64         // 1 GiB; at least four segments
	FsyncEvery   time.Duration // 10 ms
	Linger       time.Duration // longest wait for a batch to fill, 200 ms
	RetryEvery   time.Duration // pause before what a full disk refused is tried again, 1 s
	Logger       *slog.Logger
	Now          func() time.Time
}

func (o Options) withDefaults() (Options, error) {
	defaultTo(&o.SegmentBytes, 16<<20)
	defaultTo(&o.MaxBytes, max(1<<30, 4*o.SegmentBytes))
	defaultTo(&o.FsyncEvery, 10*time.Millisecond)
	defaultTo(&o.Linger, 200*time.Millisecond)
	defaultTo(&o.RetryEvery, time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Dir == "" {
		return o, errors.New("usage spool: no folder")
	}
	if o.MaxBytes < 4*o.SegmentBytes {
		return o, fmt.Errorf("usage spool: bound of %d bytes is less than four segments of %d", o.MaxBytes, o.SegmentBytes)
	}
	return o, nil
}

func defaultTo[T comparable](value *T, fallback T) {
	if *value == *new(T) {
		*value = fallback
	}
}

// Log is an open spool. All methods may be called from many goroutines.
type Log struct {
	opts   Options
	boot   string
	opened time.Time // by Options.Now
	began  time.Time // the same, by the monotonic clock
	lock   *os.File

	mu        sync.Mutex // short: one write into the page cache at most
	agent     string     // that batches are closed for; empty: nobody said
	segments  []*segment // oldest first; the last one is written to
	boots     map[string]*bootState
	batches   []*batchRef // closed and not settled, in the order of closing
	open      map[uint64][]byte
	openBytes int64 // of open
	late      late
	charges   charges
	room      room
	tombstone tombstone
	lastID    uint64
	bytes     int64 // of all segments
	unbatched int64 // bytes of ends in no batch yet
	rotateAt  int64 // size of the current segment at which to try again
	marks     []mark
	lost      int64 // stretches of bytes that could not be read
	released  int64 // records that went on an acknowledgement alone
	failed    error
	closed    bool
	retired   bool          // the boot is over: nothing starts
	changed   chan struct{} // closed and replaced when something became durable

	files  sync.RWMutex // held for reading while a segment is read, for writing while one is removed
	recent recent       // guarded by mu
	read   sync.Mutex   // one reader of batches at a time
	cursor cursor

	dirty   chan struct{}
	kick    chan struct{}
	stop    chan struct{}
	stopped chan struct{}
}

// Open takes the folder, recovers what earlier boots left and starts a new boot,
// which is on disk when Open returns.
func Open(o Options) (*Log, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make spool folder: %w", err)
	}
	lock, err := takeLock(o.Dir)
	if err != nil {
		return nil, err
	}
	l := &Log{
		opts: o, lock: lock, opened: o.Now(), began: time.Now(),
		boots: map[string]*bootState{}, open: map[uint64][]byte{}, changed: make(chan struct{}),
		room:  newRoom(o.Dir, o.SegmentBytes),
		dirty: make(chan struct{}, 1), kick: make(chan struct{}, 1),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	if err := l.recover(); err != nil {
		l.release()
		return nil, err
	}
	go l.syncLoop()
	return l, nil
}

// Boot is the text form of this start of the agent: "00000001-9f86d081884c7d65".
func (l *Log) Boot() string { return l.boot }

// Close fsyncs and gives the folder back. Requests still open will be reported as
// interrupted by the next boot.
func (l *Log) Close(ctx context.Context) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	_ = l.late.write(l) // else the next boot reports them as interrupted
	l.closed = true
	l.mu.Unlock()
	close(l.stop)
	select {
	case <-l.stopped:
	case <-ctx.Done():
		return fmt.Errorf("close usage spool: %w", ctx.Err())
	}
	l.release()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

func (l *Log) release() {
	l.files.Lock()
	defer l.files.Unlock()
	for _, s := range l.segments {
		s.gone = true
		s.file.Close()
	}
	if l.tombstone.slots != nil {
		l.tombstone.slots.close()
	}
	l.lock.Close()
}
