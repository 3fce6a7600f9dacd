package signing_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/signing"
)

func newHouse(t *testing.T) *house.Keys {
	t.Helper()
	keys, err := house.Load(filepath.Join(t.TempDir(), "house.key"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func current(t *testing.T, keys *signing.Keys, organization uuid.UUID) signing.Current {
	t.Helper()
	now, err := keys.Current(t.Context(), organization)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

func TestKeys(t *testing.T) {
	db := pgtest.Open(t)
	key := newHouse(t)

	t.Run("signatures_verify_with_the_public_keys_and_survive_a_restart", func(t *testing.T) {
		organization := uuid.New()
		before := current(t, signing.New(db, key), organization)
		after := current(t, signing.New(db, key), organization)
		if len(after.Believed) != 1 || after.Believed[0].ID != before.ID || after.ID != before.ID {
			t.Fatalf("believed %v, want one with id %s", after.Believed, before.ID)
		}
		if !ed25519.Verify(after.Believed[0].Key, []byte("m"), before.Sign([]byte("m"))) {
			t.Error("the signature does not verify")
		}
	})
	t.Run("processes_that_race_agree_on_one_key", func(t *testing.T) {
		organization := uuid.New()
		ids := make([]string, 8)
		var wait sync.WaitGroup
		for i := range ids {
			wait.Go(func() {
				now, err := signing.New(db, key).Current(context.Background(), organization)
				if err != nil {
					t.Error(err)
				}
				ids[i] = now.ID
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
		current(t, signing.New(db, key), organization)
		other := newHouse(t)
		_, err := signing.New(db, other).Current(t.Context(), organization)
		if !errors.Is(err, house.ErrUnknownKey) {
			t.Fatalf("got %v, want ErrUnknownKey", err)
		}
		for _, named := range []string{key.IDs()[0], other.IDs()[0], "house.key", organization.String()} {
			if !strings.Contains(err.Error(), named) {
				t.Errorf("%q does not name %s", err, named)
			}
		}
	})
	t.Run("no_private_key_stays_in_memory", func(t *testing.T) {
		organization, keys := uuid.New(), signing.New(db, key)
		current(t, keys, organization)
		err := db.System(t.Context(), func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE signing_key SET wrapped = 'lost' WHERE organization_id = $1`, organization)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Current(t.Context(), organization); err == nil {
			t.Error("it signs with a key that the store has no more")
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

// fleetOf gives an organization an agent that reported what it holds.
type fleetOf struct {
	t                            *testing.T
	db                           *postgres.DB
	organization, gateway, agent uuid.UUID
}

func (f fleetOf) exec(statement string, arguments ...any) {
	f.t.Helper()
	run := f.db.InOrganization
	if strings.Contains(statement, "agent_status") {
		run = func(ctx context.Context, _ uuid.UUID, fn func(pgx.Tx) error) error { return f.db.System(ctx, fn) }
	}
	err := run(f.t.Context(), f.organization, func(tx pgx.Tx) error {
		_, err := tx.Exec(f.t.Context(), statement, arguments...)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f fleetOf) released(track string, version int, keys []signing.PublicKey) {
	f.t.Helper()
	ids := []string{}
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	f.exec(`INSERT INTO release (organization_id, gateway_id, epoch, version, root, release, signature, signing_key_id, believed_key_ids, track)
		VALUES ($1, $2, 1, $3, $4, '', $5, $6, $7, $8)`, f.organization, f.gateway, version, make([]byte, 32), make([]byte, 64), ids[0], ids, track)
}

func (f fleetOf) reports(version int, reasons ...string) {
	f.t.Helper()
	f.exec(`INSERT INTO agent_status VALUES ($1, $2, now(), '', 1, $3, 0, $4, 0, 0) ON CONFLICT (organization_id, agent_id)
		DO UPDATE SET policy_version = $3, reject_reasons = $4`, f.organization, f.agent, version, append([]string{}, reasons...))
}

func TestRotation(t *testing.T) {
	db, house := pgtest.Open(t), newHouse(t)
	keys := signing.New(db, house)
	f := fleetOf{t: t, db: db, organization: uuid.New(), gateway: uuid.New(), agent: uuid.New()}
	f.exec(`INSERT INTO organization_head (organization_id, head, recorded_at) VALUES ($1, 1, now())`, f.organization)
	f.exec(`INSERT INTO agent (organization_id, id, valid_from, name, gateway_id, public_key, state) VALUES ($1, $2, 1, 'host-1', $3, '', '{}')`,
		f.organization, f.agent, f.gateway)
	old := current(t, keys, f.organization)
	f.released("stable", 1, old.Believed)
	f.reports(1)
	var next string

	retire := func(t *testing.T, force bool, wantLagging int) signing.Current {
		t.Helper()
		_, lagging, err := keys.Retire(t.Context(), f.organization, force)
		if err != nil {
			t.Fatal(err)
		}
		if len(lagging) != wantLagging {
			t.Errorf("%d agents lag, want %d: %v", len(lagging), wantLagging, lagging)
		}
		return current(t, signing.New(db, house), f.organization)
	}
	t.Run("nothing_to_retire", func(t *testing.T) {
		if _, _, err := keys.Retire(t.Context(), f.organization, true); err == nil || !strings.Contains(err.Error(), "rotate-signing") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("announced_and_still_signed_by_the_old", func(t *testing.T) {
		for range 2 { // said twice, true once
			id, err := keys.Announce(t.Context(), f.organization)
			if err != nil || next != "" && id != next {
				t.Fatalf("announced %s, then %s, %v", next, id, err)
			}
			next = id
		}
		now := current(t, keys, f.organization)
		if now.ID != old.ID || len(now.Believed) != 2 || now.Believed[1].ID != next {
			t.Errorf("now %+v, announced %s", now, next)
		}
	})
	t.Run("refused_while_an_agent_lags", func(t *testing.T) {
		if now := retire(t, false, 1); now.ID != old.ID {
			t.Error("the old key is retired")
		}
		f.released("stable", 2, current(t, keys, f.organization).Believed)
		f.reports(2, "its signing keys are not stored")
		if now := retire(t, false, 1); now.ID != old.ID {
			t.Error("the old key is retired, though the agent did not store the new one")
		}
		f.released("stable", 3, current(t, keys, f.organization).Believed)
		f.released("candidate", 3, old.Believed)
		f.reports(3)
		if now := retire(t, false, 1); now.ID != old.ID {
			t.Error("the old key is retired, though the agent may be in the track whose release of that version does not have the new one")
		}
	})
	t.Run("takes_over_when_all_agents_know", func(t *testing.T) {
		f.reports(2)
		f.exec(`INSERT INTO agent (organization_id, id, valid_from, name, gateway_id, public_key, state, revoked_at) VALUES ($1, $2, 1, 'gone', $3, 'x', '{}', now())`,
			f.organization, uuid.New(), f.gateway)
		now := retire(t, false, 0)
		if now.ID != next || len(now.Believed) != 1 || now.Believed[0].ID != next {
			t.Errorf("now %+v, want %s only", now, next)
		}
		var wrapped []byte
		err := db.InOrganization(t.Context(), f.organization, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT wrapped FROM signing_key WHERE id = $1`, old.ID).Scan(&wrapped)
		})
		if err != nil || len(wrapped) > 0 {
			t.Errorf("the retired key's private half is still there: %d bytes, %v", len(wrapped), err)
		}
	})
	t.Run("forced_past_agents_that_lag", func(t *testing.T) {
		id, err := keys.Announce(t.Context(), f.organization)
		if err != nil {
			t.Fatal(err)
		}
		if now := retire(t, true, 1); now.ID != id {
			t.Errorf("active is %s, want %s", now.ID, id)
		}
	})
	t.Run("listed", func(t *testing.T) {
		all, err := keys.List(t.Context(), uuid.NullUUID{UUID: f.organization, Valid: true})
		if err != nil || len(all) != 3 || all[0].State != "retired" || all[2].State != "active" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
