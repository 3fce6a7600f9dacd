package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// unsatisfiedQuorum is what a server of a cluster says of an insert that comes before most
// replicas have the one before, before it writes anything of it.
const unsatisfiedQuorum = 286

// IsBusy tells that a cluster did not take an insert since another one into the table was
// under way.
func IsBusy(err error) bool {
	var said *clickhouse.Exception
	return errors.As(err, &said) && said.Code == unsatisfiedQuorum
}

// turns are those of a cluster's tables, each of which takes one insert at a time.
type turns struct {
	mu     sync.Mutex
	tables map[string]chan struct{}
}

func newTurns() *turns { return &turns{tables: map[string]chan struct{}{}} }

func (t *turns) of(table string) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tables[table] == nil {
		t.tables[table] = make(chan struct{}, 1)
	}
	return t.tables[table]
}

// InTurn runs insert, which is one insert into a table. On a cluster this process sends one
// at a time, and again what came while another process' was under way, until ctx ends.
func (c *Conn) InTurn(ctx context.Context, table string, insert func() error) error {
	if c.turns == nil {
		return insert()
	}
	turn := c.turns.of(table)
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return fmt.Errorf("wait to insert into %s: %w", table, ctx.Err())
	}
	for {
		err := insert()
		if !IsBusy(err) {
			return err
		}
		select {
		case <-time.After(10*time.Millisecond + rand.N(90*time.Millisecond)): // others try, too
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}
