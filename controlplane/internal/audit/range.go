package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// begin finds what there is to look at, whole links of it, and what stands before.
// Without bounds that is every row, also of versions that can't be.
func (v *verifier) begin(ctx context.Context, tx pgx.Tx) (from, to int64, err error) {
	organization := v.result.OrganizationID
	v.next, from, to = 1, math.MinInt64, math.MaxInt64
	if v.options.First > max(v.result.Head, 1) {
		return 0, 0, fault.New(fault.Invalid, "the log ends at version %d; begin there or before", v.result.Head)
	}
	if v.options.First > 1 {
		const covering = `SELECT first FROM audit_link WHERE organization_id = $1 AND last >= $2 ORDER BY last LIMIT 1`
		if from, err = edge(ctx, tx, v.options.First, covering, organization, v.options.First); err != nil {
			return 0, 0, err
		}
		from = min(from, v.options.First)
		v.next = from
		if err := v.before(ctx, tx, from); err != nil {
			return 0, 0, err
		}
	}
	v.result.First, v.result.Last = v.next, v.result.Head
	if v.options.Last > 0 && v.options.Last < v.result.Head {
		const covering = `SELECT last FROM audit_link WHERE organization_id = $1 AND first <= $2 ORDER BY last DESC LIMIT 1`
		if to, err = edge(ctx, tx, v.options.Last, covering, organization, v.options.Last); err != nil {
			return 0, 0, err
		}
		to = max(to, v.options.Last)
		v.result.Last = min(to, v.result.Head)
	}
	v.of = v.result.Last - v.result.First + 1
	return from, to, v.aboutRange()
}

// edge is a version that a link begins or ends with, or otherwise where there is none.
func edge(ctx context.Context, tx pgx.Tx, otherwise int64, query string, arguments ...any) (version int64, err error) {
	err = tx.QueryRow(ctx, query, arguments...).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		return otherwise, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find the range: %w", err)
	}
	return version, nil
}

// before reads what the first link of a range follows.
func (v *verifier) before(ctx context.Context, tx pgx.Tx, version int64) error {
	const query = `
		SELECT coalesce((SELECT code FROM audit_link WHERE organization_id = $1 AND last < $2 ORDER BY last DESC LIMIT 1), ''),
			coalesce((SELECT code FROM audit_link WHERE organization_id = $1 AND last < $2 AND NOT late ORDER BY last DESC LIMIT 1), '')`
	if err := tx.QueryRow(ctx, query, v.result.OrganizationID, version).Scan(&v.previous, &v.base); err != nil {
		return fmt.Errorf("read what is before version %d: %w", version, err)
	}
	return nil
}

// aboutRange refuses anchors that the range says nothing about, and compares the
// one that stands right before it.
func (v *verifier) aboutRange() error {
	for _, anchor := range v.options.Expect {
		before := v.result.First - 1
		switch {
		case anchor.Version < before || v.options.Last > 0 && anchor.Version > v.result.Last:
			return fault.New(fault.Invalid, "the anchor is of version %d, and versions %d to %d are looked at: begin at %d or before, end there or after",
				anchor.Version, v.result.First, v.result.Last, anchor.Version+1)
		case anchor.Version == before && string(anchor.Code) != string(v.previous):
			v.find(before, before, fmt.Sprintf("the chain is another one than when the anchor was kept: it has %s, the anchor says %s",
				hex.EncodeToString(v.previous), hex.EncodeToString(anchor.Code)))
		}
	}
	return nil
}
