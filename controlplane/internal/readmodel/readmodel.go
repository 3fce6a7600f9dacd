// Package readmodel keeps what the log adds up to, ready to be asked: one table
// per kind of thing, whose rows are true for a range of versions. Rows are
// written in the transaction that appends, and can be made again from the log at
// any time. It decides nothing and writes no events.
package readmodel

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// View is a transaction that sees one organization.
type View struct {
	Tx           pgx.Tx
	Organization uuid.UUID
	// AsOf is the version of the log whose state is shown; 0: what is true now.
	AsOf int64
}

// Store answers from the read models.
type Store struct {
	db *postgres.DB
}

// New returns the read models of every organization in db.
func New(db *postgres.DB) *Store { return &Store{db: db} }

// Read runs fn where it can't write. Each of its statements sees what is committed
// by then, so what must belong together is read in the right order: the head first.
func (s *Store) Read(ctx context.Context, organization uuid.UUID, fn func(View) error) error {
	return s.db.Read(ctx, organization, func(tx pgx.Tx) error {
		return fn(View{Tx: tx, Organization: organization})
	})
}

// Write runs fn in one READ COMMITTED transaction of the organization.
func (s *Store) Write(ctx context.Context, organization uuid.UUID, fn func(View) error) error {
	return s.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		return fn(View{Tx: tx, Organization: organization})
	})
}

// Snapshot runs fn in one read-only transaction that sees a single instant.
func (s *Store) Snapshot(ctx context.Context, organization uuid.UUID, fn func(View) error) error {
	return s.db.Snapshot(ctx, organization, func(tx pgx.Tx) error {
		return fn(View{Tx: tx, Organization: organization})
	})
}

// Head is the version of the log that the view shows (or later, where the view is
// not a snapshot and something is read after it).
func Head(ctx context.Context, v View) (int64, error) {
	return pglog.HeadIn(ctx, v.Tx, v.Organization)
}

// Standing is what every command asks first.
type Standing struct {
	// Head is as of Head's.
	Head int64
	// Suspended: nobody of the organization may do anything.
	Suspended bool
	// Archived: the organization is no more.
	Archived bool
}

// StandingOf reads the head and what stands against the organization at one instant.
func StandingOf(ctx context.Context, v View) (s Standing, err error) {
	const query = `SELECT h.head, o.suspended_at IS NOT NULL, o.id IS NULL FROM organization_head h
		LEFT JOIN organization o ON o.organization_id = h.organization_id AND o.valid_to IS NULL
		WHERE h.organization_id = $1`
	err = v.Tx.QueryRow(ctx, query, v.Organization).Scan(&s.Head, &s.Suspended, &s.Archived)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return s, fmt.Errorf("read head of organization %s: %w", v.Organization, err)
	}
	return s, nil
}

// projection is a table as the log sees it.
type projection interface {
	tableName() string
	// respell writes a stored state as this build does; nil where it says something
	// that this build does not know.
	respell(state string) []byte
	// claims tells which row an event changes, if any of this table.
	claims(e eventlog.Event) (uuid.UUID, bool, error)
	// touches tells whether events of the kind change the row that is their subject.
	touches(kind string) bool
	project(ctx context.Context, tx pgx.Tx, batch *pgx.Batch, events []eventlog.Event) error
	// columnNames are those of its rows' values, in order.
	columnNames() []string
	// refold begins to fold a log anew.
	refold() refold
}

var projections = []projection{
	Organizations, Members, JoinDomains, RoleBindings, Projects, Providers, Routes, Keys,
	Gateways, Rollouts, EnrolmentTokens, Agents, ServiceAccounts, ServiceAccountTokens,
	PriceOverrides, SavedReports, AlertChannels, Limits, Budgets, Rerates,
}

var _ pglog.Part = Project

// Project is the log's part that keeps the read models; it refuses events that no
// table knows.
func Project(ctx context.Context, tx pgx.Tx, batch *pgx.Batch, recorded []eventlog.Event) error {
	if err := known(recorded); err != nil {
		return err
	}
	for _, p := range projections {
		if err := p.project(ctx, tx, batch, recorded); err != nil {
			return err
		}
	}
	return nil
}

func known(events []eventlog.Event) error {
	for _, e := range events {
		claimed := false
		for _, p := range projections {
			_, ok, err := p.claims(e)
			if err != nil {
				return err
			}
			claimed = claimed || ok
		}
		if !claimed {
			return fmt.Errorf("project version %d of organization %s: %s: %w", e.Version, e.OrganizationID, e.Kind, eventlog.ErrUnknownKind)
		}
	}
	return nil
}
