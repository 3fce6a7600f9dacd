package readmodel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// AsOfVersion returns the view of a past version; an Invalid fault about the field where
// the log has not come that far.
func (v View) AsOfVersion(ctx context.Context, field string, version int64) (View, error) {
	head, err := Head(ctx, v)
	if err != nil {
		return v, err
	}
	if version < 1 || version > head {
		return v, fault.Field(field, "want 1 to %d, the log's newest version; got %d", head, version)
	}
	v.AsOf = version
	return v, nil
}

// AsOfTime returns the view of the last version recorded at or before a time.
func (v View) AsOfTime(ctx context.Context, field string, at time.Time) (View, error) {
	const query = `SELECT version, recorded_at FROM event
		WHERE organization_id = $1 AND recorded_at <= $2 ORDER BY recorded_at DESC, version DESC LIMIT 1`
	var recorded time.Time
	err := v.Tx.QueryRow(ctx, query, v.Organization, at).Scan(&v.AsOf, &recorded)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, fault.Field(field, "the log begins after %s", at.UTC().Format(time.RFC3339Nano))
	}
	if err != nil {
		return v, fmt.Errorf("find the version at %s: %w", at, err)
	}
	return v, nil
}
