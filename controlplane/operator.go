package controlplane

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// Operator runs commands on a database that a control plane may be serving.
// Answers go to Out, what goes on meanwhile to the logger.
type Operator struct {
	Out    io.Writer
	logger *slog.Logger
	db     *postgres.DB
	house  *house.Keys
}

// OpenOperator needs PostgresURL and HouseKeyFile of c only. It makes no house key
// and migrates nothing.
func OpenOperator(ctx context.Context, c Config, out io.Writer, logger *slog.Logger) (*Operator, error) {
	if c.PostgresURL == "" {
		return nil, fault.New(fault.Invalid, "WEIR_POSTGRES_URL: not set")
	}
	keys, err := house.Open(c.HouseKeyFile, logger)
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, c.PostgresURL)
	if err != nil {
		return nil, err
	}
	return &Operator{Out: out, logger: logger, db: db, house: keys}, nil
}

// Close ends the connections.
func (o *Operator) Close() { o.db.Close() }

func (o *Operator) say(format string, arguments ...any) {
	fmt.Fprintf(o.Out, format+"\n", arguments...)
}

// names are those of all live organizations.
func (o *Operator) names(ctx context.Context) (map[uuid.UUID]string, error) {
	const page = 1000
	store, after := readmodel.New(o.db), readmodel.Cursor{}
	names := make(map[uuid.UUID]string)
	for {
		found, _, next, err := store.ListOrganizations(ctx, after, page)
		if err != nil {
			return nil, err
		}
		for _, organization := range found {
			names[organization.ID] = organization.Name
		}
		if next == nil {
			return names, nil
		}
		after = *next
	}
}

// named finds an organization by its name or id.
func (o *Operator) named(ctx context.Context, text string) (uuid.UUID, error) {
	names, err := o.names(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	for id, name := range names {
		if name == text {
			return id, nil
		}
	}
	if id, err := uuid.Parse(text); err == nil {
		return id, nil
	}
	return uuid.Nil, fault.New(fault.NotFound, "no organization is named %q; give its name or its id", text)
}

// called is how people know an organization; one that was removed has its id only.
func called(names map[uuid.UUID]string, id uuid.UUID) string {
	if name := names[id]; name != "" {
		return name
	}
	return id.String()
}
