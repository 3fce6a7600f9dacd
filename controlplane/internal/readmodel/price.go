package readmodel

import (
	"context"
	"fmt"
)

// PriceOverridesVersion is the log version of the newest change of any price
// override, archiving included; 0: there never was one. Together with the built-in
// book it names what the view's prices are.
func PriceOverridesVersion(ctx context.Context, v View) (int64, error) {
	const query = `SELECT coalesce(max(greatest(valid_from, valid_to)), 0) FROM price_override WHERE organization_id = $1`
	var version int64
	if err := v.Tx.QueryRow(ctx, query, v.Organization).Scan(&version); err != nil {
		return 0, fmt.Errorf("read version of price overrides: %w", err)
	}
	return version, nil
}
