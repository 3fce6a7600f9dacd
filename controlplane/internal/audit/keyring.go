package audit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Keyring holds the keys that authenticate links: the newest makes them, every
// one verifies its own.
type Keyring struct {
	newest uuid.UUID
	keys   map[uuid.UUID][]byte
}

// NewKeyring reads the installation's audit keys and makes the first.
func NewKeyring(ctx context.Context, db *postgres.DB, keys *house.Keys) (*Keyring, error) {
	ring, err := OpenKeyring(ctx, db, keys)
	if err != nil || ring.newest != uuid.Nil {
		return ring, err
	}
	if _, err := AddKey(ctx, db, keys); err != nil {
		return nil, err
	}
	return OpenKeyring(ctx, db, keys)
}

// OpenKeyring reads the audit keys; there may be none.
func OpenKeyring(ctx context.Context, db *postgres.DB, keys *house.Keys) (*Keyring, error) {
	const query = `SELECT id, house_key_id, wrapped FROM audit_key ORDER BY created_at, id`
	ring := &Keyring{keys: make(map[uuid.UUID][]byte)}
	err := db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var wrapped house.Wrapped
		_, err = pgx.ForEachRow(rows, []any{&id, &wrapped.KeyID, &wrapped.Bytes}, func() error {
			secret, err := keys.Unwrap(boundTo(id), wrapped)
			if err != nil {
				return fmt.Errorf("key %s: %w", id, err)
			}
			ring.newest, ring.keys[id] = id, secret
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read audit keys: %w", err)
	}
	return ring, nil
}

// AddKey makes the key that links are made with from now on, in every process
// that starts after it.
func AddKey(ctx context.Context, db *postgres.DB, keys *house.Keys) (uuid.UUID, error) {
	const insert = `INSERT INTO audit_key (id, house_key_id, wrapped) VALUES ($1, $2, $3)`
	id := uuid.New()
	secret := make([]byte, sha256.Size)
	rand.Read(secret) // never fails
	wrapped := keys.Wrap(boundTo(id), secret)
	err := db.System(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, insert, id, wrapped.KeyID, wrapped.Bytes)
		return err
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("store audit key: %w", err)
	}
	return id, nil
}

func boundTo(id uuid.UUID) []byte { return append([]byte("weir audit key v1\x00"), id[:]...) }

// Rest says how audit keys rest, for a change of the house key.
var Rest = house.Rest{Table: "audit_key", Wrapped: "wrapped", ID: "id::text", Bound: func(row house.Row) ([]byte, error) {
	id, err := uuid.Parse(row.ID)
	return boundTo(id), err
}}
