package identity

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

const (
	// usesEvery is how far the last use of a token lags behind: one row a minute and
	// token is written, whatever the number of requests.
	usesEvery = time.Minute
	// lastUses bounds the write of a process that ends.
	lastUses = 5 * time.Second
)

// use is the last time that a token was accepted.
type use struct {
	organization, token uuid.UUID
	at                  time.Time
}

// uses are the tokens that were accepted since the last write.
type uses struct {
	mu   sync.Mutex
	last map[uuid.UUID]use
}

func (u *uses) note(organization, token uuid.UUID, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last[token] = use{organization, token, at}
}

// take empties the notes. They are in the order of tokens, in which every process
// locks their rows.
func (u *uses) take() []use {
	u.mu.Lock()
	defer u.mu.Unlock()
	var taken []use
	for _, one := range u.last {
		taken = append(taken, one)
	}
	clear(u.last)
	slices.SortFunc(taken, func(a, b use) int { return bytes.Compare(a.token[:], b.token[:]) })
	return taken
}

// KeepUses writes when tokens were used last, every minute until ctx ends and once
// more then. What can't be written is lost: it is written again with the next use.
func (s *Tokens) KeepUses(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(usesEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastUses)
		if err := s.SaveUses(writing); err != nil {
			log.Warn("last uses of tokens are not written", "error", err)
		}
		cancel()
	}
}

// SaveUses writes what was noted since the last time.
func (s *Tokens) SaveUses(ctx context.Context) error {
	taken := s.uses.take()
	if len(taken) == 0 {
		return nil
	}
	const save = `INSERT INTO service_account_token_use (organization_id, token_id, last_used_at)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
		ON CONFLICT (organization_id, token_id) DO UPDATE
		SET last_used_at = greatest(service_account_token_use.last_used_at, excluded.last_used_at)`
	var organizations, tokens []uuid.UUID
	var times []time.Time
	for _, one := range taken {
		organizations, tokens, times = append(organizations, one.organization), append(tokens, one.token), append(times, one.at)
	}
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, save, organizations, tokens, times)
		return err
	})
	if err != nil {
		return fmt.Errorf("save uses of %d tokens: %w", len(taken), err)
	}
	return nil
}

// LastUses returns when tokens of the view's organization were used last; those that
// never were are absent.
func LastUses(ctx context.Context, v readmodel.View, tokens []uuid.UUID) (map[uuid.UUID]time.Time, error) {
	const query = `SELECT token_id, last_used_at FROM service_account_token_use WHERE organization_id = $1 AND token_id = ANY($2)`
	rows, err := v.Tx.Query(ctx, query, v.Organization, tokens)
	if err != nil {
		return nil, fmt.Errorf("read last uses of tokens: %w", err)
	}
	found := map[uuid.UUID]time.Time{}
	var token uuid.UUID
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&token, &at}, func() error {
		found[token] = at
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read last uses of tokens: %w", err)
	}
	return found, nil
}
