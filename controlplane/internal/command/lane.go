package command

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/uuid"
)

// lanes let one command per organization through at a time.
type lanes struct {
	mu    sync.Mutex
	taken map[uuid.UUID]*lane
}

type lane struct {
	turn chan struct{}
	// users hold the lane or wait for it.
	users int
}

func (l *lanes) enter(ctx context.Context, organization uuid.UUID) (leave func(), err error) {
	l.mu.Lock()
	mine := l.taken[organization]
	if mine == nil {
		mine = &lane{turn: make(chan struct{}, 1)}
		l.taken[organization] = mine
	}
	mine.users++
	l.mu.Unlock()

	select {
	case mine.turn <- struct{}{}:
		return func() {
			<-mine.turn
			l.forget(organization, mine)
		}, nil
	case <-ctx.Done():
		l.forget(organization, mine)
		return nil, fmt.Errorf("wait for other commands: %w", ctx.Err())
	}
}

func (l *lanes) forget(organization uuid.UUID, mine *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine.users--
	if mine.users == 0 {
		delete(l.taken, organization)
	}
}
