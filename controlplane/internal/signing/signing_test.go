package signing_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/signing"
)

func house(t *testing.T) *signing.HouseKey {
	t.Helper()
	key, err := signing.LoadHouseKey(filepath.Join(t.TempDir(), "house.key"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestHouseKey(t *testing.T) {
	t.Run("made_once_0600_and_said", func(t *testing.T) {
		var said bytes.Buffer
		log := slog.New(slog.NewTextHandler(&said, nil))
		path := filepath.Join(t.TempDir(), "new", "house.key")
		first, err := signing.LoadHouseKey(path, log)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(said.String(), path) {
			t.Errorf("log does not name the new key: %s", said.String())
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 || info.Size() != 32 {
			t.Errorf("mode %v, %d bytes", info.Mode().Perm(), info.Size())
		}
		said.Reset()
		second, err := signing.LoadHouseKey(path, log)
		if err != nil {
			t.Fatal(err)
		}
		if first.ID() != second.ID() || said.Len() > 0 {
			t.Errorf("second load: id %s and %s, log %q", first.ID(), second.ID(), said.String())
		}
	})
	t.Run("wrong_size_is_refused", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "house.key")
		if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := signing.LoadHouseKey(path, slog.New(slog.DiscardHandler)); err == nil {
			t.Error("5 bytes were taken for a key")
		}
	})
	t.Run("a_secret_opens_for_its_organization_only", func(t *testing.T) {
		key, organization := house(t), uuid.New()
		wrapped := key.Wrap(organization, []byte("secret"))
		if got, err := key.Unwrap(organization, wrapped); err != nil || string(got) != "secret" {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := key.Unwrap(uuid.New(), wrapped); err == nil {
			t.Error("opened for another organization")
		}
		if bytes.Contains(wrapped, []byte("secret")) {
			t.Error("the secret shows")
		}
	})
}

func TestKeys(t *testing.T) {
	db := pgtest.Open(t)
	key := house(t)

	t.Run("signatures_verify_with_the_public_keys_and_survive_a_restart", func(t *testing.T) {
		organization := uuid.New()
		id, sign, err := signing.New(db, key).Signer(t.Context(), organization)
		if err != nil {
			t.Fatal(err)
		}
		public, err := signing.New(db, key).PublicKeys(t.Context(), organization)
		if err != nil {
			t.Fatal(err)
		}
		if len(public) != 1 || public[0].ID != id {
			t.Fatalf("public keys %v, want one with id %s", public, id)
		}
		if !ed25519.Verify(public[0].Key, []byte("m"), sign([]byte("m"))) {
			t.Error("the signature does not verify")
		}
	})
	t.Run("processes_that_race_agree_on_one_key", func(t *testing.T) {
		organization := uuid.New()
		ids := make([]string, 8)
		var wait sync.WaitGroup
		for i := range ids {
			wait.Go(func() {
				id, _, err := signing.New(db, key).Signer(context.Background(), organization)
				if err != nil {
					t.Error(err)
				}
				ids[i] = id
			})
		}
		wait.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("different keys: %v", ids)
			}
		}
	})
	t.Run("another_house_key_is_named", func(t *testing.T) {
		organization := uuid.New()
		if _, _, err := signing.New(db, key).Signer(t.Context(), organization); err != nil {
			t.Fatal(err)
		}
		if _, _, err := signing.New(db, house(t)).Signer(t.Context(), organization); !errors.Is(err, signing.ErrHouseKey) {
			t.Errorf("got %v, want ErrHouseKey", err)
		}
	})
	t.Run("an_organization_sees_its_own_keys_only", func(t *testing.T) {
		count := 0
		err := db.InOrganization(t.Context(), uuid.New(), func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT count(*) FROM signing_key`).Scan(&count)
		})
		if err != nil || count != 0 {
			t.Errorf("saw %d keys of others, %v", count, err)
		}
	})
}
