// Package signing owns the Ed25519 keys that organizations' policies are signed
// with. Private keys leave it as functions only. A new key is announced first:
// agents learn it from releases that the active one signs; later it takes over.
package signing

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Sign makes a signature of 64 bytes over a message.
type Sign func(message []byte) []byte

// PublicKey is what agents pin.
type PublicKey struct {
	ID  string
	Key ed25519.PublicKey
}

// Current is how an organization signs at one instant.
type Current struct {
	// ID of the active key.
	ID   string
	Sign Sign
	// Believed are the keys that agents should believe: the active one and, if
	// there is one, the announced.
	Believed []PublicKey
}

// Keys hands out signers. It holds no private key: one that is retired is in no
// memory but that of signers handed out before.
type Keys struct {
	house *house.Keys
	table table
}

// New keeps the keys in Postgres, wrapped by the house keys.
func New(db *postgres.DB, keys *house.Keys) *Keys {
	return &Keys{house: keys, table: table{db: db}}
}

// row is a signing key at rest.
type row struct {
	id        string
	publicKey []byte
	announced bool
	wrapped   house.Wrapped
}

// Current reads which key signs now; the first is made at its first use. Who asks
// at the same time may make one too; the store keeps the first, and all get that.
func (k *Keys) Current(ctx context.Context, organization uuid.UUID) (Current, error) {
	rows, err := k.currentOrNew(ctx, organization)
	if err != nil {
		return Current{}, fmt.Errorf("signing key of organization %s: %w", organization, err)
	}
	private, err := k.private(organization, rows[0])
	if err != nil {
		return Current{}, fmt.Errorf("signing key %s of organization %s: %w", rows[0].id, organization, err)
	}
	current := Current{ID: rows[0].id, Sign: func(message []byte) []byte { return ed25519.Sign(private, message) }}
	for _, r := range rows {
		current.Believed = append(current.Believed, PublicKey{ID: r.id, Key: r.publicKey})
	}
	return current, nil
}

// currentOrNew returns the active key, then the announced one if there is one.
func (k *Keys) currentOrNew(ctx context.Context, organization uuid.UUID) ([]row, error) {
	rows, err := k.table.current(ctx, organization)
	if err != nil || len(rows) > 0 {
		return rows, err
	}
	key, err := k.generate(organization)
	if err != nil {
		return nil, err
	}
	if err := k.table.begin(ctx, organization, key); err != nil {
		return nil, err
	}
	rows, err = k.table.current(ctx, organization)
	if err == nil && len(rows) == 0 {
		err = errors.New("the key just stored is not there")
	}
	return rows, err
}

func (k *Keys) generate(organization uuid.UUID) (row, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return row{}, fmt.Errorf("generate: %w", err)
	}
	return row{
		id:        "sk_" + uuid.NewString(),
		publicKey: public,
		wrapped:   k.house.Wrap(organization[:], private.Seed()),
	}, nil
}

func (k *Keys) private(organization uuid.UUID, r row) (ed25519.PrivateKey, error) {
	seed, err := k.house.Unwrap(organization[:], r.wrapped)
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%d bytes, want %d", len(seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// Rest says how signing keys rest, for a change of the house key.
var Rest = house.Rest{Table: "signing_key", Wrapped: "wrapped", ID: "id", Owned: true, Bound: func(row house.Row) ([]byte, error) {
	return row.Organization[:], nil
}}
