package controlplane

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
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
// and migrates nothing: a schema that is not this build's is refused.
func OpenOperator(ctx context.Context, c Config, out io.Writer, logger *slog.Logger) (*Operator, error) {
	keys, err := house.Open(c.HouseKeyFile, logger)
	if err != nil {
		return nil, err
	}
	db, err := openStore(ctx, c)
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

// organizationNames are those of all live organizations.
func organizationNames(ctx context.Context, store *readmodel.Store) (map[uuid.UUID]string, error) {
	order, err := readmodel.Organizations.Fields().ParseOrder("")
	if err != nil {
		return nil, err
	}
	names := make(map[uuid.UUID]string)
	for after := (&filter.Place{}); after != nil; {
		found, _, next, err := store.ListOrganizations(ctx, readmodel.Query{Order: order, After: *after, Size: 1000})
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			names[o.ID] = o.Name
		}
		after = next
	}
	return names, nil
}

// findOrganization takes a name, or an id, which need not be in the read models.
func findOrganization(ctx context.Context, store *readmodel.Store, text string) (uuid.UUID, error) {
	if id, err := uuid.Parse(text); err == nil {
		return id, nil
	}
	names, err := organizationNames(ctx, store)
	if err != nil {
		return uuid.Nil, err
	}
	for id, name := range names {
		if name == text {
			return id, nil
		}
	}
	return uuid.Nil, fault.New(fault.NotFound, "no organization is called %q; if its read models are lost, give its id", text)
}

// called is how people know an organization; one that was removed has its id only.
func called(names map[uuid.UUID]string, id uuid.UUID) string {
	if name := names[id]; name != "" {
		return name
	}
	return id.String()
}
