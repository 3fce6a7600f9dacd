package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// enterer is DB.InOrganization, DB.Snapshot or DB.Read.
type enterer func(context.Context, uuid.UUID, func(pgx.Tx) error) error

// crowd is two organizations on one connection.
type crowd struct {
	db          *postgres.DB
	url         string
	mine, other uuid.UUID
	enterers    map[string]enterer
}

func newCrowd(t *testing.T) crowd {
	t.Helper()
	_, address := pgtest.OpenURL(t)
	db, err := postgres.Open(t.Context(), address+"&pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	c := crowd{db: db, url: address, mine: uuid.New(), other: uuid.New()}
	c.enterers = map[string]enterer{"transaction": db.InOrganization, "snapshot": db.Snapshot, "read": db.Read}
	c.enterers["transaction_with_a_lock"] = func(ctx context.Context, organization uuid.UUID, fn func(pgx.Tx) error) error {
		return db.InOrganizationWith(ctx, organization, `pg_advisory_xact_lock(hashtextextended($1, 0))`, fn)
	}
	for _, id := range []uuid.UUID{c.mine, c.other} {
		err := db.InOrganization(t.Context(), id, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO organization_head (organization_id, head, recorded_at) VALUES ($1, 1, now())`, id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// sees fails unless exactly this organization is seen, three times in one function.
func sees(ctx context.Context, enter enterer, want uuid.UUID) error {
	return enter(ctx, want, func(tx pgx.Tx) error {
		for range 3 {
			rows, err := tx.Query(ctx, `SELECT organization_id FROM organization_head`)
			if err != nil {
				return err
			}
			seen, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
			if err != nil {
				return err
			}
			if len(seen) != 1 || seen[0] != want {
				return fmt.Errorf("saw %v, want %s", seen, want)
			}
		}
		return nil
	})
}

func (c crowd) check(t *testing.T) {
	t.Helper()
	for name, enter := range c.enterers {
		for _, id := range []uuid.UUID{c.mine, c.other, c.mine} {
			if err := sees(t.Context(), enter, id); err != nil {
				t.Errorf("%s afterwards: %v", name, err)
			}
		}
	}
	err := c.db.System(t.Context(), func(tx pgx.Tx) error {
		var n int
		err := tx.QueryRow(t.Context(), `SELECT count(*) FROM organization_head`).Scan(&n)
		if n != 2 {
			return fmt.Errorf("saw %d organizations, %w", n, err)
		}
		return err
	})
	if err != nil {
		t.Errorf("system afterwards: %v", err)
	}
}

func TestOneConnection_survives(t *testing.T) {
	c := newCrowd(t)
	errMine := errors.New("mine")
	for name, enter := range c.enterers {
		fails := func(what string, fn func(pgx.Tx) error, want func(error) bool) {
			t.Run(name+"/"+what, func(t *testing.T) {
				if err := enter(t.Context(), c.mine, fn); !want(err) {
					t.Errorf("got %v", err)
				}
				c.check(t)
			})
		}
		run := func(statements ...string) func(pgx.Tx) error {
			return func(tx pgx.Tx) (err error) {
				for _, s := range statements {
					_, err = tx.Exec(t.Context(), s)
				}
				return err
			}
		}
		const look = `SELECT count(*) FROM organization_head`
		fails("an_error_of_the_function", func(pgx.Tx) error { return errMine }, is(errMine))
		fails("an_error_after_a_statement", func(tx pgx.Tx) error { return errors.Join(errMine, run(look)(tx)) }, is(errMine))
		fails("a_wrong_first_statement", run(`SELECT 1/0`), code("22012"))
		fails("a_statement_that_is_none", run(`SELEKT`), code("42601"))
		fails("a_statement_timeout", timeout(t), code("57014"))
		fails("a_setting_of_the_session", run(look, `SELECT set_config('weir.organization_id', '`+c.other.String()+`', false)`), is(nil))
		fails("rows_left_open", leaveOpen(t), func(error) bool { return true })
		fails("a_role_put_on", run(look, `SET ROLE NONE`), is(nil))
	}
}

func TestOneConnection_survives_panics(t *testing.T) {
	c := newCrowd(t)
	for name, enter := range c.enterers {
		for _, after := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s/after_%d_statements", name, after), func(t *testing.T) {
				func() {
					defer func() {
						if recover() == nil {
							t.Error("the panic was swallowed")
						}
					}()
					_ = enter(t.Context(), c.mine, func(tx pgx.Tx) error {
						for range after {
							_, _ = tx.Query(t.Context(), `SELECT generate_series(1, 10)`) //nolint:sqlclosecheck // left open on purpose
						}
						panic("a bug")
					})
				}()
				c.check(t)
			})
		}
	}
}

func TestOneConnection_survives_kills(t *testing.T) {
	c := newCrowd(t)
	for name, enter := range c.enterers {
		t.Run(name, func(t *testing.T) {
			err := enter(t.Context(), c.mine, func(tx pgx.Tx) error {
				var pid int
				if err := tx.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
					return err
				}
				conn, err := pgx.Connect(t.Context(), c.url)
				if err != nil {
					return err
				}
				defer conn.Close(t.Context())
				if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend($1, 5000)`, pid); err != nil {
					return err
				}
				_, err = tx.Exec(t.Context(), `SELECT count(*) FROM organization_head`)
				return err
			})
			if err == nil {
				t.Error("nobody was told that the connection was killed")
			}
			c.check(t)
		})
	}
}

// Whatever callers do and whenever they leave, nobody sees another's rows.
func TestOneConnection_interleaved(t *testing.T) {
	c := newCrowd(t)
	var wait sync.WaitGroup
	until := time.Now().Add(2 * time.Second)
	for name, enter := range c.enterers {
		for _, id := range []uuid.UUID{c.mine, c.other} {
			wait.Go(func() {
				looks := 0
				for ; time.Now().Before(until); looks++ {
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(4000))*time.Microsecond)
					err := sees(ctx, enter, id)
					if err != nil && ctx.Err() == nil {
						t.Errorf("%s: %v", name, err)
					}
					cancel()
				}
				if looks < 20 {
					t.Errorf("%s: %d looks only", name, looks)
				}
			})
		}
	}
	wait.Wait()
	c.check(t)
}

func is(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) && (want != nil || err == nil) }
}

func code(want string) func(error) bool {
	return func(err error) bool {
		var refused *pgconn.PgError
		return errors.As(err, &refused) && refused.Code == want
	}
}

func timeout(t *testing.T) func(pgx.Tx) error {
	return func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`SELECT set_config('statement_timeout', '20ms', true)`)
		batch.Queue(`SELECT pg_sleep(10)`)
		return tx.SendBatch(t.Context(), batch).Close()
	}
}

func leaveOpen(t *testing.T) func(pgx.Tx) error {
	return func(tx pgx.Tx) error {
		_, err := tx.Query(t.Context(), `SELECT generate_series(1, 100000)`) //nolint:sqlclosecheck // left open on purpose
		return err
	}
}
