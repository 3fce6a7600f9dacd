package rpc_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"
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
	secrets = append(secrets, in.sendSecrets(n)...)

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

// sendSecrets sends the API every secret that it takes, well formed and not, and
// returns them.
func (in *installation) sendSecrets(n *tenant) []string {
	in.t.Helper()
	first, second, odd := webhookSecret("canary 1"), webhookSecret("canary 2"), "whsec_odd-canary"
	sent := call(in.t, n.alerts.CreateAlertChannel, &adminv1.CreateAlertChannelRequest{
		Name: "canary", Url: "https://hooks.example", Secret: first, Mutation: &adminv1.Mutation{RequestId: "with a secret"},
	})
	id := sent.AlertChannel.Id
	call(in.t, n.alerts.SetAlertChannelSecret, &adminv1.SetAlertChannelSecretRequest{
		Id: id, Secret: second, Mutation: &adminv1.Mutation{RequestId: "with another"},
	})
	refused(in.t, connect.CodeInvalidArgument, n.alerts.SetAlertChannelSecret, &adminv1.SetAlertChannelSecretRequest{Id: id, Secret: odd})
	return []string{webhookSecret("of alpha"), first, second, odd}
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
