package readmodel

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
)

// Difference is a row that the read models have and a refold does not make alike.
type Difference struct {
	Table     string
	ID        uuid.UUID
	ValidFrom int64
	// Stored and Refolded are the rows as text; empty where there is none.
	Stored, Refolded string
}

const readPage = 1000

// Rebuild folds an organization's whole log again and compares; with replace it
// puts what it made in the place of what differs. All of it is one transaction,
// and the organization's log stands still meanwhile.
func (s *Store) Rebuild(ctx context.Context, organization uuid.UUID, replace bool) ([]Difference, error) {
	var all []Difference
	err := s.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		const hold = `SELECT FROM organization_head WHERE organization_id = $1 FOR UPDATE`
		if _, err := tx.Exec(ctx, hold, organization); err != nil {
			return fmt.Errorf("hold the log: %w", err)
		}
		events, err := wholeLog(ctx, tx, organization)
		if err != nil {
			return err
		}
		for _, p := range projections {
			differences, err := rebuild(ctx, View{Tx: tx, Organization: organization}, p, events, replace)
			if err != nil {
				return fmt.Errorf("table %s: %w", p.tableName(), err)
			}
			all = append(all, differences...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("rebuild organization %s: %w", organization, err)
	}
	return all, nil
}

func wholeLog(ctx context.Context, tx pgx.Tx, organization uuid.UUID) ([]eventlog.Event, error) {
	var events []eventlog.Event
	for {
		page, err := pglog.ReadIn(ctx, tx, organization, int64(len(events)), readPage)
		if err != nil {
			return nil, err
		}
		events = append(events, page...)
		if len(page) < readPage {
			return events, known(events)
		}
	}
}

func rebuild(ctx context.Context, v View, p projection, events []eventlog.Event, replace bool) ([]Difference, error) {
	rows, err := p.replay(events)
	if err != nil {
		return nil, err
	}
	table := p.tableName()
	create := "CREATE TEMPORARY TABLE refolded_" + table + " (LIKE " + table + ") ON COMMIT DROP"
	if _, err := v.Tx.Exec(ctx, create); err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	for _, r := range rows {
		p.queueInsert(batch, "refolded_"+table, v.Organization, r)
	}
	if err := v.Tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	differences, err := compare(ctx, v, table)
	if err != nil || !replace || len(differences) == 0 {
		return differences, err
	}
	return differences, replaceRows(ctx, v, table)
}

func compare(ctx context.Context, v View, table string) ([]Difference, error) {
	query := fmt.Sprintf(`SELECT id, valid_from, coalesce(a.row, ''), coalesce(b.row, '')
		FROM (SELECT id, valid_from, t::text AS row FROM %[1]s t WHERE organization_id = $1) a
		FULL JOIN (SELECT id, valid_from, t::text AS row FROM refolded_%[1]s t) b USING (id, valid_from)
		WHERE a.row IS DISTINCT FROM b.row ORDER BY valid_from, id`, table)
	rows, err := v.Tx.Query(ctx, query, v.Organization)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (Difference, error) {
		d := Difference{Table: table}
		return d, r.Scan(&d.ID, &d.ValidFrom, &d.Stored, &d.Refolded)
	})
}

func replaceRows(ctx context.Context, v View, table string) error {
	if _, err := v.Tx.Exec(ctx, "DELETE FROM "+table+" WHERE organization_id = $1", v.Organization); err != nil {
		return err
	}
	_, err := v.Tx.Exec(ctx, "INSERT INTO "+table+" SELECT * FROM refolded_"+table)
	return err
}
