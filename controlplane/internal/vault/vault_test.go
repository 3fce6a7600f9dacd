package vault_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/vault"
)

const webhook = "alert_channel.webhook"

func newHouse(t *testing.T) *house.Keys {
	t.Helper()
	keys, err := house.Load(filepath.Join(t.TempDir(), "house.key"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func put(t *testing.T, db *postgres.DB, v *vault.Vault, organization, id uuid.UUID, text string) {
	t.Helper()
	batch := &pgx.Batch{}
	v.Put(batch, organization, id, webhook, vault.NewSecret(text))
	send(t, db, organization, batch)
}

func send(t *testing.T, db *postgres.DB, organization uuid.UUID, batch *pgx.Batch) {
	t.Helper()
	err := db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error { return tx.SendBatch(t.Context(), batch).Close() })
	if err != nil {
		t.Fatal(err)
	}
}

func opens(t *testing.T, v *vault.Vault, organization, id uuid.UUID, want string) {
	t.Helper()
	secret, err := v.Open(t.Context(), organization, id, webhook)
	if err != nil || secret.Reveal() != want {
		t.Errorf("opened %q, want %q: %v", secret.Reveal(), want, err)
	}
}

func TestVault(t *testing.T) {
	db, url := pgtest.OpenURL(t)
	v := vault.New(db, newHouse(t))
	root, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close(context.Background())
	organization, id := uuid.New(), uuid.New()
	put(t, db, v, organization, id, "first")
	notFound := func(t *testing.T, err error) {
		t.Helper()
		if known := (*fault.Error)(nil); !errors.As(err, &known) || known.Kind != fault.NotFound {
			t.Errorf("got %v, want NotFound", err)
		}
	}

	t.Run("put_then_open", func(t *testing.T) { opens(t, v, organization, id, "first") })
	t.Run("a_new_value_takes_its_place", func(t *testing.T) {
		put(t, db, v, organization, id, "second")
		opens(t, v, organization, id, "second")
	})
	t.Run("another_organization_or_purpose_finds_nothing", func(t *testing.T) {
		_, err := v.Open(t.Context(), uuid.New(), id, webhook)
		notFound(t, err)
		_, err = v.Open(t.Context(), organization, id, "login.client")
		notFound(t, err)
	})
	t.Run("a_row_that_was_moved_does_not_open", func(t *testing.T) {
		for column, value := range map[string]string{"organization_id": uuid.NewString(), "id": uuid.NewString(), "purpose": "login.client"} {
			organization, id := uuid.New(), uuid.New()
			put(t, db, v, organization, id, "moved")
			if _, err := root.Exec(t.Context(), fmt.Sprintf(`UPDATE secret SET %s = '%s' WHERE id = '%s'`, column, value, id)); err != nil {
				t.Fatal(err)
			}
			purpose := webhook
			switch column {
			case "organization_id":
				organization = uuid.MustParse(value)
			case "id":
				id = uuid.MustParse(value)
			default:
				purpose = value
			}
			if secret, err := v.Open(t.Context(), organization, id, purpose); err == nil {
				t.Errorf("with another %s it opened: %q", column, secret.Reveal())
			}
		}
	})
	t.Run("deleted_for_good", func(t *testing.T) {
		batch := &pgx.Batch{}
		v.Delete(batch, organization, id)
		send(t, db, organization, batch)
		_, err := v.Open(t.Context(), organization, id, webhook)
		notFound(t, err)
	})
	t.Run("another_house_key_is_named", func(t *testing.T) {
		put(t, db, v, organization, id, "x")
		if _, err := vault.New(db, newHouse(t)).Open(t.Context(), organization, id, webhook); !errors.Is(err, house.ErrUnknownKey) {
			t.Errorf("got %v", err)
		}
	})
}

// A change of the house key that dies in the middle leaves every secret readable,
// and goes on when it is run again.
func TestRewrap_interrupted(t *testing.T) {
	db, keys := pgtest.Open(t), newHouse(t)
	v, organization := vault.New(db, keys), uuid.New()
	secrets := map[uuid.UUID]string{}
	batch := &pgx.Batch{}
	for i := range 250 {
		id := uuid.New()
		secrets[id] = fmt.Sprintf("secret %d", i)
		v.Put(batch, organization, id, webhook, vault.NewSecret(secrets[id]))
	}
	send(t, db, organization, batch)
	old := keys.IDs()[0]
	if _, err := keys.Add(); err != nil {
		t.Fatal(err)
	}
	all := func() {
		t.Helper()
		for id, want := range secrets {
			opens(t, v, organization, id, want)
		}
	}
	dying, seen := vault.Rest, 0
	dying.Bound = func(row house.Row) ([]byte, error) {
		if seen++; seen > 150 {
			return nil, errors.New("killed")
		}
		return vault.Rest.Bound(row)
	}
	if _, err := keys.Rewrap(t.Context(), db, dying); err == nil {
		t.Fatal("it was not interrupted")
	}
	counts, err := house.Count(t.Context(), db, vault.Rest)
	if err != nil || counts[old] != 150 {
		t.Errorf("under the old key are %d, %v", counts[old], err)
	}
	all()
	if n, err := keys.Rewrap(t.Context(), db, vault.Rest); n != 150 || err != nil {
		t.Errorf("wrapped %d anew, %v", n, err)
	}
	if err := keys.Drop(old); err != nil {
		t.Fatal(err)
	}
	all()
}

func TestSecret_is_redacted(t *testing.T) {
	const canary = "whsec_canary"
	secret := vault.NewSecret(canary)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "secret", secret, "pointer", &secret, "in", struct{ S vault.Secret }{secret})
	encoded, err := json.Marshal(map[string]any{"secret": secret, "pointer": &secret})
	if err != nil {
		t.Fatal(err)
	}
	for how, text := range map[string]string{
		"log": log.String(), "json": string(encoded), "%v": fmt.Sprintf("%v", secret), "%+v": fmt.Sprintf("%+v", struct{ S vault.Secret }{secret}),
		"%#v": fmt.Sprintf("%#v", secret), "%s": fmt.Sprintf("%s!", secret), "%q": fmt.Sprintf("%q", secret), "%x": fmt.Sprintf("%x", secret),
	} {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s shows it: %s", how, text)
		}
	}
}
