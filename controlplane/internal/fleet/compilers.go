package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// errDeferred says that the policy of a gateway is left to a newer build, which may
// compile it to other content.
var errDeferred = errors.New("a newer build compiles this policy")

const (
	// compilerNote is how often a process says that it runs.
	compilerNote = 5 * time.Second
	// compilerGone is for how long a process counts as running that said nothing.
	compilerGone = 30 * time.Second
	// deferSpread is over which time agents leave a build that leaves their policy to a newer one.
	deferSpread = 5 * time.Second
)

// Compilers knows which revisions of the compiler run in any process.
type Compilers interface {
	// Note that one runs, and return the newest that said so in the last 30 s.
	Note(ctx context.Context, revision int32) (newest int32, err error)
}

// CompilerTable keeps them in Postgres, by its clock.
type CompilerTable struct{ db *postgres.DB }

var _ Compilers = (*CompilerTable)(nil)

// NewCompilerTable returns the compilers in db.
func NewCompilerTable(db *postgres.DB) *CompilerTable { return &CompilerTable{db: db} }

// Note implements Compilers.
func (t *CompilerTable) Note(ctx context.Context, revision int32) (newest int32, err error) {
	err = t.db.System(ctx, func(tx pgx.Tx) error {
		const note = `INSERT INTO compiler (revision) VALUES ($1) ON CONFLICT (revision) DO UPDATE SET seen_at = now()`
		if _, err := tx.Exec(ctx, note, revision); err != nil {
			return err
		}
		const running = `SELECT max(revision) FROM compiler WHERE seen_at > now() - $1::interval`
		return tx.QueryRow(ctx, running, compilerGone).Scan(&newest)
	})
	if err != nil {
		return 0, fmt.Errorf("note that compiler %d runs: %w", revision, err)
	}
	return newest, nil
}

// compilers is what a process knows of the others.
type compilers struct {
	store    Compilers
	revision int32
	log      *slog.Logger

	mu     sync.Mutex
	newest int32
	noted  time.Time
}

// outdated tells whether a newer build runs. The answer is a few seconds old at most; a
// process says that it runs before it publishes anything.
func (c *compilers) outdated(ctx context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.noted) < compilerNote {
		return c.newest > c.revision, nil
	}
	newest, err := c.store.Note(ctx, c.revision)
	if err != nil {
		return false, err
	}
	c.newest, c.noted = newest, time.Now()
	return c.newest > c.revision, nil
}

// run says until ctx ends that the process runs.
func (c *compilers) run(ctx context.Context) {
	for {
		if _, err := c.outdated(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("other builds do not know that this one runs", "error", err)
		}
		if !sleep(ctx, compilerNote) {
			return
		}
	}
}
