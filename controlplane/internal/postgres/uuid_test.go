package postgres_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

func TestUUIDs(t *testing.T) {
	db := pgtest.Open(t)
	id, unset := uuid.New(), uuid.New()
	was := unset
	var one, shown uuid.UUID
	var many []uuid.UUID
	var none uuid.NullUUID
	var text string
	err := db.SystemRead(t.Context(), func(tx pgx.Tx) error {
		const query = `SELECT $1::uuid, $1::uuid::text, $1::text, $2::uuid[], NULL::uuid, NULL::uuid`
		return tx.QueryRow(t.Context(), query, id, []uuid.UUID{id, {}}).Scan(&one, &text, &shown, &many, &none, &unset)
	})
	if err != nil {
		t.Fatal(err)
	}
	if one != id || text != id.String() || shown != id || !slices.Equal(many, []uuid.UUID{id, {}}) || none.Valid || unset != was {
		t.Errorf("got %s, %s, %s, %v, %v, %s", one, text, shown, many, none, unset)
	}
}
