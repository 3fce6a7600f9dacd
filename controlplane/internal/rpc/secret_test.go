package rpc_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// No table and no line of log holds a secret, and e-mail addresses are in the
// erasable table only.
func TestSecretsAreNowhere(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	mutation := &adminv1.Mutation{RequestId: "stored"}
	made := call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "stored", ProjectId: n.project.Id, Mutation: mutation})
	founded := call(t, in.as(operatorToken).organizations.CreateOrganization, &adminv1.CreateOrganizationRequest{
		Name: "beta", OwnerEmail: "canary@beta.example", Mutation: mutation,
	})
	in.enrol(n)
	secrets := []string{n.secret, made.Secret, n.token, founded.ServiceAccountToken, n.enrolmentToken}

	tables := in.everyRow()
	if len(tables["key"]) == 0 || len(tables["idempotency"]) == 0 || len(tables["event"]) == 0 {
		t.Fatal("the search sees no rows")
	}
	for table, rows := range tables {
		text := strings.Join(rows, "\n")
		for _, secret := range secrets {
			for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(text, form) {
					t.Errorf("%s holds a secret", table)
				}
			}
		}
		if table != "member_person" && strings.Contains(text, "canary@") {
			t.Errorf("%s holds an e-mail address", table)
		}
	}
	for _, secret := range append(secrets, "canary@") {
		if strings.Contains(in.logs.String(), secret) {
			t.Error("the server's log holds a secret or an address")
		}
	}
}

// everyRow returns the text of every row of every table, seen by the superuser.
func (in *installation) everyRow() map[string][]string {
	in.t.Helper()
	ctx := in.t.Context()
	conn, err := pgx.Connect(ctx, in.url)
	if err != nil {
		in.t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)
	if err != nil {
		in.t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		in.t.Fatal(err)
	}
	found := map[string][]string{}
	for _, name := range names {
		rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT t::text FROM %s t`, pgx.Identifier{name}.Sanitize()))
		if err != nil {
			in.t.Fatal(err)
		}
		if found[name], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			in.t.Fatal(err)
		}
	}
	return found
}
