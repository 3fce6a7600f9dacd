package outage_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// Rows are put back to what they were in the same database, so that neither the server nor
// its timeline is another. Agents show what was lost, and follow; keys revoked since stay so.
func TestRowsPutBackInTheSameDatabase(t *testing.T) {
	f := newFleet(t)
	f.serves("gpt-4o-mini")
	leaked, text := f.newKey("leaked")
	f.within(10*time.Second, "a new key works", func() error { _, err := ask(t.Context(), f.agents[0], text); return err })
	back := f.keepRows()
	_, err := f.keys.RevokeKey(t.Context(), connect.NewRequest(&adminv1.RevokeKeyRequest{Id: leaked}))
	must(t, err)
	f.within(10*time.Second, "a revoked key is refused", func() error { return f.refused(text) })
	f.serves("gpt-4o") // so that versions are behind afterwards
	f.serves("gpt-4o-mini")
	f.serves("gpt-4o")
	f.within(15*time.Second, "agents report what they serve", func() error { return f.reported(f.newestRelease()) })
	before := f.newestRelease()

	callers := f.call()
	f.ControlPlane.Kill()
	back()
	if lost := f.newestRelease(); lost.epoch != before.epoch || lost.version >= before.version {
		t.Fatalf("the store is at %v, was at %v: nothing is left to notice", lost, before)
	}
	must(t, f.StartControlPlane(t.Context()))
	f.within(30*time.Second, "agents serve what was restored", func() error {
		for _, agent := range f.agents {
			if got, err := ask(t.Context(), agent, f.key); err != nil || got.target != "mock/gpt-4o-mini" {
				return fmt.Errorf("it serves %s, %w", got.target, err)
			}
		}
		return nil
	})
	f.within(15*time.Second, "agents report a newer epoch", func() error {
		if after := f.epochs(); slices.Min(after) <= before.epoch || slices.Min(after) != slices.Max(after) {
			return fmt.Errorf("%d, was %d", after, before.epoch)
		}
		return nil
	})
	if err := f.refused(text); err != nil {
		t.Errorf("a key whose revocation was lost lives again: %v", err)
	}
	f.serves("gpt-4o")
	if err := f.refused(text); err != nil {
		t.Errorf("a key whose revocation was lost lives again with the next change: %v", err)
	}
	if asked, failed := callers.end(); len(failed) > 0 {
		t.Errorf("%d of %d requests failed: %v", len(failed), asked, failed[:min(3, len(failed))])
	}
}

type released struct{ epoch, version int64 }

func (f *fleet) newestRelease() (r released) {
	f.t.Helper()
	conn := f.connect()
	defer conn.Close(context.Background())
	const query = `SELECT epoch, version FROM release ORDER BY epoch DESC, version DESC LIMIT 1`
	must(f.t, conn.QueryRow(f.t.Context(), query).Scan(&r.epoch, &r.version))
	return r
}

// reported says which agent does not say that it serves a release.
func (f *fleet) reported(r released) error {
	listed, err := f.gateways.ListAgents(f.t.Context(), connect.NewRequest(&adminv1.ListAgentsRequest{GatewayId: f.gateway}))
	if err != nil {
		return err
	}
	for _, a := range listed.Msg.GetAgents() {
		if is := (released{a.GetPolicyEpoch(), a.GetPolicyVersion()}); is != r {
			return fmt.Errorf("%s serves %v, want %v", a.GetName(), is, r)
		}
	}
	return nil
}

func (f *fleet) connect() *pgx.Conn {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.DSN)
	must(f.t, err)
	return conn
}

// keepRows copies every row; back puts them there again, as tools do that restore into the
// database that is there.
func (f *fleet) keepRows() (back func()) {
	f.t.Helper()
	conn := f.connect()
	defer conn.Close(context.Background())
	rows, err := conn.Query(f.t.Context(), `SELECT quote_ident(relname) FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'schema_migrations'`)
	must(f.t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(f.t, err)
	copies, returns := []string{"CREATE SCHEMA kept"}, []string{"SET LOCAL session_replication_role = replica"}
	for _, table := range tables {
		copies = append(copies, "CREATE TABLE kept."+table+" AS TABLE public."+table)
		returns = append(returns, "DELETE FROM public."+table, "INSERT INTO public."+table+" SELECT * FROM kept."+table)
	}
	f.together(copies)
	return func() { f.together(returns) }
}

func (f *fleet) together(statements []string) {
	f.t.Helper()
	conn := f.connect()
	defer conn.Close(context.Background())
	must(f.t, pgx.BeginFunc(f.t.Context(), conn, func(tx pgx.Tx) error {
		for _, statement := range statements {
			if _, err := tx.Exec(f.t.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	}))
}
