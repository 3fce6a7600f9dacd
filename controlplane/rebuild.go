package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// rebuildTells is how often a long rebuild tells where it is.
const rebuildTells = 2 * time.Second

// ErrDifferences says that read models are not what the log adds up to.
var ErrDifferences = errors.New("the read models are not what the log adds up to; --replace puts them right")

// Rebuilding says which read models to make again from the log.
type Rebuilding struct {
	// Organization is a name or an id; empty: all of them, one after the other.
	Organization string
	Replace      bool
}

// Rebuild folds logs again and writes what differs to out, a line each. It returns
// ErrDifferences where something does and was not replaced.
func Rebuild(ctx context.Context, c Config, r Rebuilding, out io.Writer) error {
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	store := readmodel.New(db)
	chosen, err := chooseLogs(ctx, db, store, r.Organization)
	if err != nil {
		return err
	}
	wrong := 0
	for _, id := range chosen {
		count, err := rebuildOne(ctx, store, id, r.Replace, out)
		if err != nil {
			return err
		}
		wrong += count
	}
	if wrong > 0 && !r.Replace {
		return ErrDifferences
	}
	return nil
}

// openStore is for commands: the schema must be this build's, and they leave it so.
func openStore(ctx context.Context, c Config) (*postgres.DB, error) {
	if c.PostgresURL == "" {
		return nil, errors.New("WEIR_POSTGRES_URL: not set")
	}
	if err := postgres.CheckSchema(ctx, c.PostgresURL); err != nil {
		return nil, err
	}
	return postgres.Open(ctx, c.PostgresURL)
}

// chooseLogs asks the logs, not the read models, which organizations there are;
// only a name must be looked up there.
func chooseLogs(ctx context.Context, db *postgres.DB, store *readmodel.Store, wanted string) ([]uuid.UUID, error) {
	heads, _, err := pglog.NewHeads(db).Changed(ctx, "")
	if err != nil {
		return nil, err
	}
	all := make([]uuid.UUID, 0, len(heads))
	for _, head := range heads {
		all = append(all, head.OrganizationID)
	}
	if wanted == "" {
		return all, nil
	}
	id, err := findOrganization(ctx, store, wanted)
	if err != nil {
		return nil, err
	}
	if slices.Contains(all, id) {
		return []uuid.UUID{id}, nil
	}
	return nil, fmt.Errorf("there is no log of organization %s", wanted)
}

func rebuildOne(ctx context.Context, store *readmodel.Store, organization uuid.UUID, replace bool, out io.Writer) (wrong int, err error) {
	began := time.Now()
	told := began
	rebuilt, err := store.Rebuild(ctx, readmodel.Rebuilding{Organization: organization, Replace: replace, Progress: func(folded, head int64) {
		if time.Since(told) > rebuildTells {
			told = time.Now()
			fmt.Fprintf(out, "organization %s: folded %d of %d events\n", organization, folded, head)
		}
	}})
	if err != nil {
		return 0, err
	}
	for _, d := range rebuilt.Differences {
		fmt.Fprintf(out, "organization %s: %s\n", organization, d)
	}
	if more := rebuilt.Count - len(rebuilt.Differences); more > 0 {
		fmt.Fprintf(out, "organization %s: and %d rows more\n", organization, more)
	}
	verdict := "nothing differs"
	switch {
	case rebuilt.Count > 0 && replace:
		verdict = fmt.Sprintf("replaced %d rows", rebuilt.Count)
	case rebuilt.Count > 0:
		verdict = fmt.Sprintf("%d rows differ", rebuilt.Count)
	}
	spent := time.Since(began)
	fmt.Fprintf(out, "organization %s: folded %d events in %s (%.0f/s), %s\n",
		organization, rebuilt.Events, spent.Round(time.Millisecond), float64(rebuilt.Events)/spent.Seconds(), verdict)
	return rebuilt.Count, nil
}
