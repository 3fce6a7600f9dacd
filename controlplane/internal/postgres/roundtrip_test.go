package postgres_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

const readHead = `SELECT head FROM organization_head WHERE organization_id = $1`

// What a transaction costs, in round trips on the wire. Begin, organization and
// statement in three, and a fourth for the commit, is what it would be by hand.
func TestRoundTrips(t *testing.T) {
	_, address := pgtest.OpenURL(t)
	wire := listen(t, address)
	db, err := postgres.Open(t.Context(), wire.url+"&pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	organization := uuid.New()
	ask := func(times int) func(pgx.Tx) error {
		return func(tx pgx.Tx) error {
			for range times {
				if _, err := tx.Exec(t.Context(), readHead, organization); err != nil {
					return err
				}
			}
			return nil
		}
	}
	in := func(enter func(context.Context, uuid.UUID, func(pgx.Tx) error) error) func(func(pgx.Tx) error) error {
		return func(fn func(pgx.Tx) error) error { return enter(t.Context(), organization, fn) }
	}
	system := func(enter func(context.Context, func(pgx.Tx) error) error) func(func(pgx.Tx) error) error {
		return func(fn func(pgx.Tx) error) error { return enter(t.Context(), fn) }
	}
	for _, c := range []struct {
		name       string
		enter      func(func(pgx.Tx) error) error
		statements int
		want       int
	}{
		{"a_read_of_one_statement", in(db.Read), 1, 1},
		{"a_read_of_three_statements", in(db.Read), 3, 3},
		{"a_read_over_all_organizations", system(db.SystemRead), 1, 1},
		{"a_transaction_of_one_statement", in(db.InOrganization), 1, 2},
		{"a_transaction_of_three_statements", in(db.InOrganization), 3, 4},
		{"a_snapshot_of_two_statements", in(db.Snapshot), 2, 3},
		{"a_transaction_over_all_organizations", system(db.System), 1, 2},
		{"nothing", in(db.InOrganization), 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.enter(ask(c.statements)); err != nil { // prepares the statements
				t.Fatal(err)
			}
			before := wire.trips()
			if err := c.enter(ask(c.statements)); err != nil {
				t.Fatal(err)
			}
			if got := wire.trips() - before; got != c.want {
				t.Errorf("%d round trips for %d statements, want %d", got, c.statements, c.want)
			}
		})
	}
}

func TestFinish(t *testing.T) {
	_, address := pgtest.OpenURL(t)
	wire := listen(t, address)
	db, err := postgres.Open(t.Context(), wire.url+"&pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	insert := func(id uuid.UUID, more ...string) (afterwards, result error) {
		result = db.InOrganization(t.Context(), id, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), readHead, id); err != nil {
				return err
			}
			batch := &pgx.Batch{}
			batch.Queue(`INSERT INTO organization_head (organization_id, head, recorded_at) VALUES ($1, 1, now())`, id)
			for _, statement := range more {
				batch.Queue(statement)
			}
			if err := postgres.Finish(t.Context(), tx, batch); err != nil {
				return err
			}
			_, afterwards = tx.Exec(t.Context(), readHead, id)
			return nil
		})
		return afterwards, result
	}
	rows := func(id uuid.UUID) (n int) {
		t.Helper()
		err := db.Read(t.Context(), id, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT count(*) FROM organization_head`).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := insert(uuid.New()); err != nil { // prepares the statements
		t.Fatal(err)
	}
	id := uuid.New()
	before := wire.trips()
	afterwards, err := insert(id)
	if trips := wire.trips() - before; err != nil || trips != 2 {
		t.Errorf("%d round trips, want 2, %v", trips, err)
	}
	if afterwards == nil {
		t.Error("a statement ran after the end of the transaction")
	}
	if n := rows(id); n != 1 {
		t.Errorf("%d rows", n)
	}
	id = uuid.New()
	if _, err := insert(id, `SELECT 1/0`); err == nil || rows(id) != 0 {
		t.Errorf("committed %d rows before a statement that fails, %v", rows(id), err)
	}
}

// wire stands between a client and the server and counts how often the server
// answers after the client spoke.
type wire struct {
	url string

	mu       sync.Mutex
	answered int
}

func (w *wire) trips() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answered
}

func listen(t *testing.T, address string) *wire {
	t.Helper()
	server, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	behind := server.Host
	server.Host = listener.Addr().String()
	w := &wire{url: server.String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(client, behind)
		}
	}()
	return w
}

func (w *wire) carry(client net.Conn, behind string) {
	defer client.Close()
	server, err := net.Dial("tcp", behind)
	if err != nil {
		return
	}
	defer server.Close()
	spoke := false
	go func() {
		_, _ = io.Copy(counted{server, func() { spoke = true }, &w.mu}, client)
		server.Close()
	}()
	_, _ = io.Copy(counted{client, func() {
		if spoke {
			w.answered++
		}
		spoke = false
	}, &w.mu}, server)
}

// counted tells of each write before it passes it on.
type counted struct {
	net.Conn
	tell func()
	mu   *sync.Mutex
}

func (c counted) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.tell()
	c.mu.Unlock()
	return c.Conn.Write(b)
}

// ReadFrom keeps io.Copy from going around Write.
func (c counted) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}
