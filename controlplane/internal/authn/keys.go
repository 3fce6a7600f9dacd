package authn

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// refetchAfter is how often keys are fetched at most because of a key id that nobody knows: whoever makes up ids
	// makes no load.
	refetchAfter = 10 * time.Second
	// retryAfter is how long a failure answers for the next ones.
	retryAfter = time.Second
)

// keySet is the provider's signing keys. New ones are found when a token names them.
type keySet struct {
	address   string
	client    *http.Client
	now       func() time.Time
	turn      turn
	keys      []jose.JSONWebKey
	fetchedAt time.Time // zero: never
	failed    error
	failedAt  time.Time
}

func newKeySet(address string, client *http.Client, now func() time.Time) *keySet {
	return &keySet{address: address, client: client, now: now, turn: newTurn()}
}

// candidates are the keys that a token with this key id may be signed with; none: there is no such key. An error means
// that nobody could tell.
func (k *keySet) candidates(ctx context.Context, id string) ([]crypto.PublicKey, error) {
	leave, err := k.turn.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	found, now := k.named(id), k.now()
	if len(found) > 0 || (!k.fetchedAt.IsZero() && now.Sub(k.fetchedAt) < refetchAfter) {
		return found, nil
	}
	if k.failed != nil && now.Sub(k.failedAt) < retryAfter {
		return nil, k.failed
	}
	keys, err := k.fetch(ctx)
	if err != nil {
		k.failed, k.failedAt = fmt.Errorf("fetch the provider's keys: %w", err), now
		return nil, k.failed
	}
	k.keys, k.fetchedAt, k.failed = keys, now, nil
	return k.named(id), nil
}

// named leaves out what is no public key for signatures: a symmetric one would let everybody sign who reads it.
func (k *keySet) named(id string) []crypto.PublicKey {
	var found []crypto.PublicKey
	for _, key := range k.keys {
		if (id == "" || key.KeyID == id) && (key.Use == "" || key.Use == "sig") && key.IsPublic() && key.Valid() {
			found = append(found, key.Key)
		}
	}
	return found
}

// fetch skips keys of kinds that this build does not know.
func (k *keySet) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), providerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.address, nil)
	if err != nil {
		return nil, err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		return nil, err
	}
	var keys []jose.JSONWebKey
	for _, text := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(text) == nil {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// turn lets one caller through at a time; who waits may give up.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) enter(ctx context.Context) (leave func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
