// Package vault keeps the secrets that the control plane must be able to read again,
// such as those of webhooks, sealed under the house key. A sealed secret opens for
// its organization, id and purpose only. Secrets never enter the log: events carry
// their ids.
package vault

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/house"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Vault is the secrets of every organization in one database.
type Vault struct {
	db   *postgres.DB
	keys *house.Keys
}

// New returns the secrets in db.
func New(db *postgres.DB, keys *house.Keys) *Vault { return &Vault{db: db, keys: keys} }

// Put queues a secret, or a new value of one. Queue it with the change that names
// its id, so that both commit or neither.
func (v *Vault) Put(batch *pgx.Batch, organization, id uuid.UUID, purpose string, secret Secret) {
	const upsert = `INSERT INTO secret (organization_id, id, purpose, house_key_id, sealed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (organization_id, id) DO UPDATE
		SET purpose = excluded.purpose, house_key_id = excluded.house_key_id, sealed = excluded.sealed`
	sealed := v.keys.Wrap(boundTo(organization, id, purpose), []byte(secret.Reveal()))
	batch.Queue(upsert, organization, id, purpose, sealed.KeyID, sealed.Bytes)
}

// Delete queues the removal of a secret, for good.
func (v *Vault) Delete(batch *pgx.Batch, organization, id uuid.UUID) {
	batch.Queue(`DELETE FROM secret WHERE organization_id = $1 AND id = $2`, organization, id)
}

// Open returns a secret for what it was put for; a NotFound fault where there is
// none for that.
func (v *Vault) Open(ctx context.Context, organization, id uuid.UUID, purpose string) (Secret, error) {
	const query = `SELECT house_key_id, sealed FROM secret WHERE organization_id = $1 AND id = $2 AND purpose = $3`
	var sealed house.Wrapped
	err := v.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query, organization, id, purpose).Scan(&sealed.KeyID, &sealed.Bytes)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Secret{}, fault.Because(fault.NotFound, "secret_not_found", "no secret %s for %s", id, purpose)
	}
	if err != nil {
		return Secret{}, fmt.Errorf("read secret %s of organization %s: %w", id, organization, err)
	}
	opened, err := v.keys.Unwrap(boundTo(organization, id, purpose), sealed)
	if err != nil {
		return Secret{}, fmt.Errorf("open secret %s of organization %s: %w", id, organization, err)
	}
	return NewSecret(string(opened)), nil
}

// boundTo encodes without ambiguity: the ids have fixed lengths.
func boundTo(organization, id uuid.UUID, purpose string) []byte {
	bound := append([]byte("weir secret v1\x00"), organization[:]...)
	bound = append(bound, id[:]...)
	bound = binary.BigEndian.AppendUint64(bound, uint64(len(purpose)))
	return append(bound, purpose...)
}

// Rest says how secrets rest, for a change of the house key.
var Rest = house.Rest{Table: "secret", Wrapped: "sealed", ID: "id::text || ':' || purpose", Owned: true, Bound: restBound}

func restBound(row house.Row) ([]byte, error) {
	const idLength = 36
	if len(row.ID) <= idLength {
		return nil, fmt.Errorf("secret %q: want id:purpose", row.ID)
	}
	id, err := uuid.Parse(row.ID[:idLength])
	return boundTo(row.Organization, id, row.ID[idLength+1:]), err
}
