// Package identity finds the principal behind a token's hash, an OIDC login or a
// session's hash. It looks through every organization (weir_system): who calls
// says which one it is. It never sees the text of a secret.
package identity

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
)

// Store is the identities of every organization in one database.
type Store struct {
	db *postgres.DB
}

// New returns the identities in db.
func New(db *postgres.DB) *Store { return &Store{db: db} }

// FindToken returns the service account whose token has this hash. Unknown,
// revoked and expired tokens are Unauthenticated faults, each with its reason.
func (s *Store) FindToken(ctx context.Context, hash [sha256.Size]byte) (authn.Principal, error) {
	const query = `SELECT t.organization_id, t.state::text, a.state::text
		FROM service_account_token t
		JOIN service_account a ON a.organization_id = t.organization_id AND a.id = t.service_account_id AND a.valid_to IS NULL
		WHERE t.sha256 = $1 AND t.valid_to IS NULL`
	var organization uuid.UUID
	var tokenState, accountState string
	err := s.db.System(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query, hash[:]).Scan(&organization, &tokenState, &accountState)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return authn.Principal{}, fault.Because(fault.Unauthenticated, "token_unknown", "no such token")
	}
	if err != nil {
		return authn.Principal{}, fmt.Errorf("find token: %w", err)
	}
	var token serviceaccount.Token
	var account serviceaccount.ServiceAccount
	if err := errors.Join(json.Unmarshal([]byte(tokenState), &token), json.Unmarshal([]byte(accountState), &account)); err != nil {
		return authn.Principal{}, fmt.Errorf("find token: %w", err)
	}
	if err := refused(token, time.Now()); err != nil {
		return authn.Principal{}, err
	}
	return authn.Principal{
		Kind: authn.ServiceAccount, ID: account.ID, OrganizationID: organization, Role: account.Role, Display: account.Name,
	}, nil
}

func refused(t serviceaccount.Token, now time.Time) error {
	switch {
	case !t.RevokedAt.IsZero():
		return fault.Because(fault.Unauthenticated, "token_revoked", "the token was revoked")
	case !t.Lives(now):
		return fault.Because(fault.Unauthenticated, "token_expired", "the token expired at %s", t.ExpiresAt.Format(time.RFC3339))
	}
	return nil
}
