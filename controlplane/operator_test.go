package controlplane

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/logtest"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/signing"
	"github.com/weirhq/weir/controlplane/internal/vault"
)

// desk is an operator with a database, a house key file and what was said.
type desk struct {
	*Operator
	t         *testing.T
	out, logs *bytes.Buffer
	path      string
	root      *pgx.Conn
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	_, url := pgtest.OpenURL(t)
	d := &desk{t: t, out: &bytes.Buffer{}, logs: &bytes.Buffer{}, path: filepath.Join(t.TempDir(), "house.key")}
	if err := os.WriteFile(d.path, bytes.Repeat([]byte{7}, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	d.Operator, err = OpenOperator(t.Context(), Config{PostgresURL: url, HouseKeyFile: d.path}, d.out, slog.New(slog.NewTextHandler(d.logs, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if d.root, err = pgx.Connect(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.root.Close(context.Background()) })
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// said returns what was printed since it was asked last.
func (d *desk) said() string {
	defer d.out.Reset()
	return d.out.String()
}

func (d *desk) organization() uuid.UUID {
	d.t.Helper()
	ring, err := audit.NewKeyring(d.t.Context(), d.db, d.house)
	d.must(err)
	id := uuid.New()
	_, err = pglog.New(d.db).ChainedBy(ring.Link).Append(d.t.Context(), eventlog.Append{
		OrganizationID: id, Changes: []eventlog.Change{logtest.Project("a"), logtest.Project("b")},
	})
	d.must(err)
	_, err = signing.New(d.db, d.house).Current(d.t.Context(), id)
	d.must(err)
	return id
}

func TestOperator_audit(t *testing.T) {
	d := newDesk(t)
	id := d.organization()
	d.must(d.AuditVerify(t.Context(), Verification{}))
	anchor := regexp.MustCompile(`^ok ` + id.String() + ` (2:[0-9a-f]{64})\n$`).FindStringSubmatch(d.said())
	if anchor == nil {
		t.Fatal("no line with an anchor")
	}
	d.must(d.AuditVerify(t.Context(), Verification{Organization: id.String(), Expect: anchor[1]}))
	d.said()
	d.must(d.AuditVerify(t.Context(), Verification{Organization: id.String(), From: 1, To: 1}))
	if said := d.said(); !strings.HasSuffix(said, "\n") || strings.Count(said, "\n") != 1 || strings.Contains(said, "looked at") {
		t.Errorf("both versions are of one link; said %q", said)
	}
	for _, what := range []Verification{{From: 1}, {To: 1}, {Organization: id.String(), From: 2, To: 1}, {Organization: id.String(), From: -1}, {Organization: id.String(), From: 3}} {
		if err := d.AuditVerify(t.Context(), what); err == nil {
			t.Errorf("%+v was taken", what)
		}
	}
	if err := d.AuditVerify(t.Context(), Verification{Expect: anchor[1]}); err == nil {
		t.Error("an anchor was taken without an organization")
	}
	if err := d.AuditVerify(t.Context(), Verification{Organization: uuid.NewString()}); err == nil {
		t.Error("an organization that is not there is fine")
	}
	_, err := d.root.Exec(t.Context(), `UPDATE event SET actor = 'x' WHERE version = 2`)
	d.must(err)
	d.said()
	if err := d.AuditVerify(t.Context(), Verification{}); err == nil {
		t.Error("an edited row is no error")
	}
	if said := d.said(); !strings.HasPrefix(said, "WRONG "+id.String()+" version 2: its row was edited") {
		t.Errorf("said %q", said)
	}
}

// Every key rotates, and no secret is ever in a place where it does not belong.
func TestOperator_keys_rotate_and_stay_hidden(t *testing.T) {
	const canary = "whsec_canary_of_the_webhook"
	d := newDesk(t)
	id, secretID := d.organization(), uuid.New()
	secrets := vault.New(d.db, d.house)
	batch := &pgx.Batch{}
	secrets.Put(batch, id, secretID, "alert_channel.webhook", vault.NewSecret(canary))
	d.must(d.db.InOrganization(t.Context(), id, func(tx pgx.Tx) error { return tx.SendBatch(t.Context(), batch).Close() }))
	old := d.house.IDs()[0]
	keys := signing.New(d.db, d.house)
	before, err := keys.Current(t.Context(), id)
	d.must(err)

	if err := d.DropHouseKey(t.Context(), old); err == nil {
		t.Error("a key that wraps secrets was dropped")
	}
	d.must(d.AddHouseKey())
	d.must(d.RotateHouse(t.Context()))
	if said := d.said(); !strings.Contains(said, "house key "+old+" wraps nothing any more") {
		t.Errorf("said %q", said)
	}
	d.must(d.DropHouseKey(t.Context(), old))
	d.must(d.RotateSigning(t.Context(), id.String()))
	d.must(d.RetireSigning(t.Context(), id.String(), false))
	d.must(d.RotateAudit(t.Context()))
	d.must(d.KeysList(t.Context()))
	d.must(d.AuditVerify(t.Context(), Verification{}))

	opened, err := secrets.Open(t.Context(), id, secretID, "alert_channel.webhook")
	if err != nil || opened.Reveal() != canary {
		t.Errorf("opened %v", err)
	}
	after, err := signing.New(d.db, d.house).Current(t.Context(), id)
	d.must(err)
	if after.ID == before.ID || !ed25519.Verify(after.Believed[0].Key, []byte("m"), after.Sign([]byte("m"))) {
		t.Error("the new signing key does not sign")
	}

	file, err := os.ReadFile(d.path)
	d.must(err)
	hidden := []string{canary, string(file), strings.Repeat("\x07", 32)}
	seen := d.out.String() + d.logs.String() + d.everything()
	if !strings.Contains(seen, after.ID) {
		t.Fatal("the search sees nothing")
	}
	for i, secret := range hidden {
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
			if strings.Contains(seen, form) {
				t.Errorf("secret %d is in a table, an answer or a line of log", i)
			}
		}
	}
}

// everything is the text of every row of every table, seen by the superuser.
func (d *desk) everything() string {
	d.t.Helper()
	rows, err := d.root.Query(d.t.Context(), `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)
	d.must(err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	d.must(err)
	var all strings.Builder
	for _, name := range names {
		rows, err := d.root.Query(d.t.Context(), fmt.Sprintf(`SELECT t::text FROM %s t`, pgx.Identifier{name}.Sanitize()))
		d.must(err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		d.must(err)
		all.WriteString(strings.Join(lines, "\n"))
	}
	return all.String()
}
