// Package identity keeps what authn asks for in Postgres: whose token a hash is,
// which member an OIDC login is, and sessions. It looks through every organization
// (weir_system): who calls says which one it is. It never sees a secret's text.
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
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
)

var _ authn.Tokens = (*Tokens)(nil)

// Tokens finds service accounts by their tokens.
type Tokens struct{ db *postgres.DB }

// NewTokens returns the service-account tokens in db.
func NewTokens(db *postgres.DB) *Tokens { return &Tokens{db} }

// FindToken implements authn.Tokens.
func (s *Tokens) FindToken(ctx context.Context, hash [sha256.Size]byte) (authn.Principal, error) {
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
		return authn.Principal{}, authn.ErrUnknownToken
	}
	if err != nil {
		return authn.Principal{}, fmt.Errorf("find token: %w", err)
	}
	var token serviceaccount.Token
	var account serviceaccount.ServiceAccount
	if err := errors.Join(json.Unmarshal([]byte(tokenState), &token), json.Unmarshal([]byte(accountState), &account)); err != nil {
		return authn.Principal{}, fmt.Errorf("find token: %w", err)
	}
	if !token.Lives(time.Now()) {
		return authn.Principal{}, authn.ErrUnknownToken
	}
	return authn.Principal{
		Kind: authn.ServiceAccount, ID: account.ID, OrganizationID: organization, Role: account.Role, Display: account.Name,
	}, nil
}
