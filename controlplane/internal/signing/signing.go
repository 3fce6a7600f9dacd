// Package signing owns the Ed25519 keys that organizations' policies are signed
// with, and the house key that wraps them at rest. Private keys leave it as
// functions only.
package signing

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"
)

// Sign makes a signature of 64 bytes over a message.
type Sign func(message []byte) []byte

// PublicKey is what agents pin.
type PublicKey struct {
	ID  string
	Key ed25519.PublicKey
}

// Keys hands out signers; it keeps what it unwrapped in memory.
type Keys struct {
	house *HouseKey
	store store

	mu     sync.Mutex
	active map[uuid.UUID]activeKey
}

type activeKey struct {
	id   string
	sign Sign
}

// row is a signing key at rest.
type row struct {
	id         string
	publicKey  []byte
	houseKeyID string
	wrapped    []byte
}

type store interface {
	// active returns the organization's unretired key; ok is false where none is.
	active(ctx context.Context, organization uuid.UUID) (key row, ok bool, err error)
	// add stores key unless the organization has an active one.
	add(ctx context.Context, organization uuid.UUID, key row) error
	// all lists every key, the retired too, oldest first.
	all(ctx context.Context, organization uuid.UUID) ([]row, error)
}

// Signer returns the organization's active key, made at its first use. Who asks at
// the same time may make one too; the store keeps the first, and all get that.
func (k *Keys) Signer(ctx context.Context, organization uuid.UUID) (id string, sign Sign, err error) {
	k.mu.Lock()
	key, ok := k.active[organization]
	k.mu.Unlock()
	if ok {
		return key.id, key.sign, nil
	}
	stored, err := k.activeOrNew(ctx, organization)
	if err != nil {
		return "", nil, fmt.Errorf("signing key of organization %s: %w", organization, err)
	}
	private, err := k.unwrap(organization, stored)
	if err != nil {
		return "", nil, err
	}
	key = activeKey{id: stored.id, sign: func(message []byte) []byte { return ed25519.Sign(private, message) }}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.active[organization] = key
	return key.id, key.sign, nil
}

// PublicKeys returns every key whose signatures agents should believe.
func (k *Keys) PublicKeys(ctx context.Context, organization uuid.UUID) ([]PublicKey, error) {
	if _, _, err := k.Signer(ctx, organization); err != nil {
		return nil, err
	}
	rows, err := k.store.all(ctx, organization)
	if err != nil {
		return nil, fmt.Errorf("signing keys of organization %s: %w", organization, err)
	}
	keys := make([]PublicKey, len(rows))
	for i, r := range rows {
		keys[i] = PublicKey{ID: r.id, Key: r.publicKey}
	}
	return keys, nil
}

func (k *Keys) activeOrNew(ctx context.Context, organization uuid.UUID) (row, error) {
	key, ok, err := k.store.active(ctx, organization)
	if err != nil || ok {
		return key, err
	}
	if key, err = k.generate(organization); err != nil {
		return row{}, err
	}
	if err := k.store.add(ctx, organization, key); err != nil {
		return row{}, err
	}
	key, ok, err = k.store.active(ctx, organization)
	if err == nil && !ok {
		err = errors.New("the key just stored is not there")
	}
	return key, err
}

func (k *Keys) generate(organization uuid.UUID) (row, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return row{}, fmt.Errorf("generate: %w", err)
	}
	return row{
		id:         "sk_" + uuid.NewString(),
		publicKey:  public,
		houseKeyID: k.house.ID(),
		wrapped:    k.house.Wrap(organization, private.Seed()),
	}, nil
}

func (k *Keys) unwrap(organization uuid.UUID, r row) (ed25519.PrivateKey, error) {
	if r.houseKeyID != k.house.ID() {
		return nil, fmt.Errorf("%w: signing key %s needs house key %s, the configured one is %s", ErrHouseKey, r.id, r.houseKeyID, k.house.ID())
	}
	seed, err := k.house.Unwrap(organization, r.wrapped)
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("signing key %s: %d bytes, want %d", r.id, len(seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
