// Package backup writes the configuration store to one file and makes it again
// from one. A backup is one snapshot of the database, taken while the control
// plane serves, and says enough of itself to be checked: sums of every table, the
// head of every log and of every audit chain. Package postgres owns the schema;
// this one knows which tables are left out and why, and nothing of what is in them.
package backup

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Format is of the file: a zip with tables/NAME, in Postgres' COPY text form, and
// then manifest.json. A zip that was not finished has no directory and is none.
const Format = 1

const manifestName = "manifest.json"

// Manifest says what a backup holds.
type Manifest struct {
	Format        int            `json:"format"`
	Schema        uint           `json:"schema"`
	CreatedAt     time.Time      `json:"created_at"`
	Tables        []Table        `json:"tables"`
	Organizations []Organization `json:"organizations"`
}

// Table is one table, after those that it refers to.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
	// SHA256 of tables/NAME, in hexadecimal digits.
	SHA256 string `json:"sha256"`
}

// Organization is where an organization's log and audit chain ended.
type Organization struct {
	ID   uuid.UUID `json:"id"`
	Head int64     `json:"head"`
	// Audit is the code of its last link, in hexadecimal digits; empty: none.
	Audit string `json:"audit,omitempty"`
}

// Write writes a backup of db, whose schema is of this version, to w.
func Write(ctx context.Context, db *postgres.DB, schema uint, w io.Writer) (Manifest, error) {
	m := Manifest{Format: Format, Schema: schema, CreatedAt: time.Now().UTC().Truncate(time.Second)}
	archive := zip.NewWriter(w)
	err := db.SystemSnapshot(ctx, func(tx pgx.Tx) (err error) {
		if m.Organizations, err = organizations(ctx, tx); err != nil {
			return err
		}
		if m.Tables, err = tables(ctx, tx); err != nil {
			return err
		}
		for i := range m.Tables {
			if err := writeTable(ctx, tx, archive, &m.Tables[i]); err != nil {
				return fmt.Errorf("table %s: %w", m.Tables[i].Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return Manifest{}, fmt.Errorf("back up: %w", err)
	}
	if err := writeManifest(archive, m); err != nil {
		return Manifest{}, fmt.Errorf("back up: %w", err)
	}
	return m, nil
}

func writeTable(ctx context.Context, tx pgx.Tx, archive *zip.Writer, t *Table) error {
	file, err := archive.Create(t.entry())
	if err != nil {
		return err
	}
	sum := sha256.New()
	copied, err := tx.Conn().PgConn().CopyTo(ctx, io.MultiWriter(file, sum), t.copyOut())
	if err != nil {
		return err
	}
	t.Rows, t.SHA256 = copied.RowsAffected(), hex.EncodeToString(sum.Sum(nil))
	return nil
}

func writeManifest(archive *zip.Writer, m Manifest) error {
	file, err := archive.Create(manifestName)
	if err != nil {
		return err
	}
	text := json.NewEncoder(file)
	text.SetIndent("", "  ")
	if err := text.Encode(m); err != nil {
		return err
	}
	return archive.Close()
}

func organizations(ctx context.Context, tx pgx.Tx) ([]Organization, error) {
	const query = `SELECT h.organization_id, h.head, coalesce((
			SELECT encode(l.code, 'hex') FROM audit_link l WHERE l.organization_id = h.organization_id ORDER BY l.last DESC LIMIT 1), '')
		FROM organization_head h ORDER BY h.organization_id`
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (o Organization, err error) {
		return o, r.Scan(&o.ID, &o.Head, &o.Audit)
	})
	if err != nil {
		return nil, fmt.Errorf("read heads: %w", err)
	}
	return found, nil
}
