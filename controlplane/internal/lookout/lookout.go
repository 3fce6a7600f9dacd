// Package lookout looks through usage for what somebody should be told of: projects that
// spend far more than usual, and models that have no price. It raises alerts; package
// courier brings them. See docs/decisions/021.
package lookout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	// every is how often it is looked.
	every = 5 * time.Minute
	// patience bounds one look.
	patience = 2 * time.Minute
)

// Config is what a Lookout works with.
type Config struct {
	DB *postgres.DB
	// ClickHouse has the usage of every organization.
	ClickHouse driver.Conn
	Log        *slog.Logger
	// Now is the clock; nil: the machine's.
	Now func() time.Time
}

// Lookout looks. Any number of processes may: what two of them see is raised once.
type Lookout struct{ Config }

// New returns a lookout over every organization.
func New(c Config) *Lookout {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Lookout{c}
}

// Run looks until ctx ends.
func (l *Lookout) Run(ctx context.Context) {
	for wait := rand.N(every); ; wait = every { //nolint:gosec // spreads processes, hides nothing
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if err := l.look(ctx); err != nil && ctx.Err() == nil {
			l.Log.ErrorContext(ctx, "nobody looked for unusual spend", "error", err)
		}
	}
}

// finding is what an organization is told of.
type finding struct {
	organization uuid.UUID
	kind         eventv1.AlertKind
	alert        func(organization uuid.UUID, at time.Time) (alert.Alert, error)
}

func (l *Lookout) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now := l.Now().UTC()
	spend, err := l.spend(ctx, now)
	unpriced, unpricedErr := l.unpriced(ctx, now)
	err = errors.Join(err, unpricedErr)
	byOrganization := map[uuid.UUID][]finding{}
	for _, f := range append(spend, unpriced...) {
		byOrganization[f.organization] = append(byOrganization[f.organization], f)
	}
	for organization, found := range byOrganization {
		err = errors.Join(err, l.raise(ctx, organization, found, now))
	}
	return err
}

// telling is an alert, and whom it is told.
type telling struct {
	alert.Alert
	channels []uuid.UUID
}

// raise tells the organization's channels that want to know.
func (l *Lookout) raise(ctx context.Context, organization uuid.UUID, found []finding, now time.Time) error {
	err := l.DB.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		v := readmodel.View{Tx: tx, Organization: organization}
		if _, err := readmodel.Organizations.Find(ctx, v, organization); fault.Is(err, fault.NotFound) {
			return nil // deleted; its usage stays for a while
		} else if err != nil {
			return err
		}
		channels, err := readmodel.AlertChannels.All(ctx, v)
		if err != nil {
			return err
		}
		told := make([]telling, len(found))
		for i, f := range found {
			a, err := f.alert(organization, now)
			if err != nil {
				return err
			}
			told[i] = telling{a, wanting(channels, f.kind)}
		}
		// Another process may raise the same: in one order, so that none waits for the other.
		slices.SortFunc(told, func(a, b telling) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		batch := &pgx.Batch{}
		for _, t := range told {
			t.Queue(batch, organization, t.channels, nil)
		}
		return postgres.Finish(ctx, tx, batch)
	})
	if err != nil {
		return fmt.Errorf("raise alerts of organization %s: %w", organization, err)
	}
	return nil
}

// wanting are the ids of channels that are told of a kind.
func wanting(channels []alertchannel.AlertChannel, kind eventv1.AlertKind) []uuid.UUID {
	var ids []uuid.UUID
	for _, c := range channels {
		if slices.Contains(c.Kinds, kind) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
