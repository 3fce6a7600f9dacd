package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/weirhq/weir/controlplane/internal/backup"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Backup writes the configuration store to a new file, while others serve it.
func Backup(ctx context.Context, c Config, path string, out io.Writer) error {
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	schema, err := postgres.BuildSchema()
	if err != nil {
		return err
	}
	m, err := backup.Save(ctx, db, schema, path)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "backed up %s to %s\nThe house key is not in it: keep %s apart, without it wrapped secrets and policy-signing keys are lost.\n",
		sizeOf(m), path, "WEIR_HOUSE_KEY_FILE")
	return nil
}

// Restore fills an empty store from a file.
func Restore(ctx context.Context, c Config, path string, out io.Writer) error {
	if c.PostgresURL == "" {
		return errors.New("WEIR_POSTGRES_URL: not set")
	}
	archive, err := backup.Open(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	if err := backup.Restore(ctx, c.PostgresURL, archive); err != nil {
		return err
	}
	fmt.Fprintf(out, "restored %s as of %s; policy epochs rose, agents follow when the control plane serves.\n"+
		"Whatever was revoked since then is valid again: see docs/backup.md before you serve.\n",
		sizeOf(archive.Manifest), archive.CreatedAt.Format("2006-01-02 15:04:05 MST"))
	return nil
}

func sizeOf(m backup.Manifest) string {
	rows, events := int64(0), int64(0)
	for _, t := range m.Tables {
		rows += t.Rows
	}
	for _, o := range m.Organizations {
		events += o.Head
	}
	return fmt.Sprintf("%d organizations, %d events, %d rows in %d tables (schema %d)",
		len(m.Organizations), events, rows, len(m.Tables), m.Schema)
}
