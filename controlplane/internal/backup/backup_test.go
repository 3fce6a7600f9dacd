package backup_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/backup"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// leftOut is what a backup does not hold.
var leftOut = []string{"installation", "quota_share", "release", "schema_migrations", "session", "spent_login"}

// found begins a log.
func found(t *testing.T, db *postgres.DB, name string) uuid.UUID {
	t.Helper()
	id := uuid.New()
	extend(t, db, id, 0, eventlog.Change{Subject: id, Body: &eventv1.OrganizationCreated{Name: name}})
	return id
}

func extend(t *testing.T, db *postgres.DB, id uuid.UUID, head int64, changes ...eventlog.Change) {
	t.Helper()
	_, err := pglog.New(db, readmodel.Project).Append(t.Context(), eventlog.Append{OrganizationID: id, Head: head, Changes: changes, Actor: "operator"})
	if err != nil {
		t.Fatal(err)
	}
}

func save(t *testing.T, db *postgres.DB) string {
	t.Helper()
	schema, err := postgres.BuildSchema()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backup.zip")
	if _, err := backup.Save(t.Context(), db, schema, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func restore(t *testing.T, path, url string) error {
	t.Helper()
	a, err := backup.Open(path)
	if err != nil {
		return err
	}
	defer a.Close()
	return backup.Restore(t.Context(), url, a)
}

// contents are the rows of every table, as text.
func contents(t *testing.T, url string) map[string][]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	list := func(query string) []string {
		rows, err := conn.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	all := map[string][]string{}
	for _, table := range list(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`) {
		all[table] = list(fmt.Sprintf(`SELECT t::text FROM %s t ORDER BY 1`, table))
	}
	return all
}

// fillEveryTable puts a row of nonsense into each table that has none, so that a
// table which is left out by mistake is missed.
func fillEveryTable(t *testing.T, url string, organization uuid.UUID) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	id, sum := uuid.New(), strings.Repeat("ab", 32)
	o := organization.String()
	for _, statement := range []string{
		`INSERT INTO ingest_partition VALUES ('` + id.String() + `', 3, 7, '` + id.String() + `', now())`,
		`INSERT INTO ingest_block (topic_id, partition, first_offset, last_offset, month, rows, token, lease_until)
			VALUES ('` + id.String() + `', 3, 1, 2, 202611, 5, 'a	b\c', now())`,
		`INSERT INTO ingest_boot (organization_id, gateway_id, agent_id, boot, public_key, settled)
			VALUES ('` + o + `', '` + id.String() + `', '` + id.String() + `', 'boot', '\x` + sum + `', '{[1,5)}')`,
		`INSERT INTO ingest_claim (organization_id, agent_id, boot, first_seq, last_seq, payload_sha256, topic_id, partition, kafka_offset)
			VALUES ('` + o + `', '` + id.String() + `', 'boot', 1, 4, '\x` + sum + `', '` + id.String() + `', 3, 9)`,
		`INSERT INTO member_person (organization_id, member_id, email) VALUES ('` + o + `', '` + id.String() + `', E'tab\there@x')`,
		`INSERT INTO session (sha256, organization_id, member_id, created_at, idle_expires_at, expires_at)
			VALUES ('\x` + sum + `', '` + o + `', '` + id.String() + `', now(), now(), now())`,
		`INSERT INTO policy_epoch VALUES ('` + o + `', 41)`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	db, url := pgtest.OpenURL(t)
	id := found(t, db, "alpha")
	extend(t, db, id, 1, eventlog.Change{Subject: uuid.New(), Body: &eventv1.ProjectCreated{Name: "p"}})
	found(t, db, "beta")
	fillEveryTable(t, url, id)
	path := save(t, db)
	into := pgtest.Create(t)
	if err := restore(t, path, into); err != nil {
		t.Fatal(err)
	}
	was, is := contents(t, url), contents(t, into)
	for _, table := range append(leftOut, "policy_epoch") {
		delete(was, table)
		delete(is, table)
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("restored rows differ:\n%s", diff)
	}
	t.Run("the_ledger_knows_that_it_was_restored", func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), into)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		var others int
		const query = `SELECT count(*) FROM policy_epoch WHERE restored_epoch IS DISTINCT FROM epoch OR restored_at IS NULL`
		if err := conn.QueryRow(t.Context(), query).Scan(&others); err != nil || others > 0 {
			t.Errorf("%d epochs are of no restore, %v", others, err)
		}
	})
	t.Run("it_is_a_store_that_serves", func(t *testing.T) {
		restored, err := postgres.Open(t.Context(), into)
		if err != nil {
			t.Fatal(err)
		}
		defer restored.Close()
		extend(t, restored, id, 2, eventlog.Change{Subject: uuid.New(), Body: &eventv1.ProjectCreated{Name: "q"}})
	})
	t.Run("row_level_security_is_back", func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), into)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		var open int
		err = conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
			AND NOT relforcerowsecurity AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'organization_id')`).Scan(&open)
		if err != nil || open != 0 {
			t.Errorf("%d tables are open, %v", open, err)
		}
	})
	t.Run("a_second_restore_is_refused", func(t *testing.T) {
		if err := restore(t, path, into); err == nil || !strings.Contains(err.Error(), "empty") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a_foreign_database_is_refused", func(t *testing.T) {
		other := pgtest.Create(t)
		conn, err := pgx.Connect(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(t.Context(), `CREATE TABLE theirs (id int)`); err != nil {
			t.Fatal(err)
		}
		if err := restore(t, path, other); err == nil || !strings.Contains(err.Error(), "theirs") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a_file_is_never_replaced", func(t *testing.T) {
		if _, err := backup.Save(t.Context(), db, 1, path); err == nil {
			t.Error("wrote over a backup")
		}
	})
}

// Everything that is not a whole, true backup leaves the database as it was.
func TestRestore_refuses(t *testing.T) {
	db := pgtest.Open(t)
	found(t, db, "alpha")
	whole, err := os.ReadFile(save(t, db))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		damage func(t *testing.T) []byte
		want   string
	}{
		"nothing":        {func(*testing.T) []byte { return nil }, "not a whole backup"},
		"half_of_it":     {func(*testing.T) []byte { return whole[:len(whole)/2] }, "not a whole backup"},
		"all_but_a_byte": {func(*testing.T) []byte { return whole[:len(whole)-1] }, ""},
		"another_zip":    {func(t *testing.T) []byte { return rewritten(t, whole, "manifest.json", "", "") }, "not a backup"},
		"another_format": {func(t *testing.T) []byte { return rewritten(t, whole, "manifest.json", `"format": 1`, `"format": 2`) }, "format 2"},
		"a_newer_schema": {func(t *testing.T) []byte { return rewritten(t, whole, "manifest.json", `"schema": `, `"schema": 9`) }, "newer one"},
		"another_head":   {func(t *testing.T) []byte { return rewritten(t, whole, "manifest.json", `"head": 1`, `"head": 2`) }, "ends at version 1"},
		"another_chain": {func(t *testing.T) []byte {
			return rewritten(t, whole, "manifest.json", `"head": 1`, `"head": 1, "audit": "00"`)
		}, "audit chain"},
		"a_missing_table": {func(t *testing.T) []byte { return rewritten(t, whole, "tables/event", "", "") }, "event is damaged"},
		"an_edited_table": {func(t *testing.T) []byte { return rewritten(t, whole, "tables/event", "operator", "somebody") }, "event is damaged"},
		"a_flipped_bit":   {func(*testing.T) []byte { return flipped(whole) }, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "backup.zip")
			if err := os.WriteFile(path, c.damage(t), 0o600); err != nil {
				t.Fatal(err)
			}
			into := pgtest.Create(t)
			err := restore(t, path, into)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
			for table, rows := range contents(t, into) {
				if len(rows) > 0 && table != "schema_migrations" {
					t.Errorf("left %d rows in %s", len(rows), table)
				}
			}
		})
	}
}

func flipped(whole []byte) []byte {
	damaged := slices.Clone(whole)
	damaged[bytes.Index(damaged, []byte("tables/event"))+40] ^= 4
	return damaged
}

// rewritten replaces text in one file of a zip; empty: leaves the file out.
func rewritten(t *testing.T, whole []byte, name, was, is string) []byte {
	t.Helper()
	from, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	to := zip.NewWriter(&out)
	for _, entry := range from.File {
		if entry.Name == name && was == "" {
			continue
		}
		reader, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if entry.Name == name {
			changed := bytes.Replace(text, []byte(was), []byte(is), 1)
			if bytes.Equal(changed, text) {
				t.Fatalf("%s has no %q", name, was)
			}
			text = changed
		}
		writer, err := to.Create(entry.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
