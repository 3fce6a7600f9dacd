// Package identity keeps what authn asks for in Postgres: whose token a hash is,
// which member an OIDC login is, and sessions. It looks through every organization
// (weir_system): who calls says which one it is. It never sees a secret's text.
package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
)

var _ authn.Tokens = (*Tokens)(nil)

// Tokens finds service accounts by their tokens, and notes when those were used.
type Tokens struct {
	db   *postgres.DB
	uses uses
}

// NewTokens returns the service-account tokens in db.
func NewTokens(db *postgres.DB) *Tokens {
	return &Tokens{db: db, uses: uses{last: map[uuid.UUID]use{}}}
}

// bindingsOf are the roles on projects of a row named who.
const bindingsOf = `coalesce((SELECT json_agg(b.state ORDER BY b.project_id) FROM role_binding b
	WHERE b.organization_id = who.organization_id AND b.principal_id = who.id AND b.valid_to IS NULL), 'null')::text`

// FindToken implements authn.Tokens.
func (s *Tokens) FindToken(ctx context.Context, hash [sha256.Size]byte) (authn.Principal, error) {
	const query = `SELECT t.organization_id, t.state::text, who.state::text, o.suspended_at IS NOT NULL, ` + bindingsOf + `
		FROM service_account_token t
		JOIN service_account who ON who.organization_id = t.organization_id AND who.id = t.service_account_id AND who.valid_to IS NULL
		JOIN organization o ON o.organization_id = t.organization_id AND o.valid_to IS NULL
		WHERE t.sha256 = $1 AND t.valid_to IS NULL`
	var organization uuid.UUID
	var tokenState, accountState, bindings string
	var suspended bool
	err := s.db.SystemRead(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query, hash[:]).Scan(&organization, &tokenState, &accountState, &suspended, &bindings)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return authn.Principal{}, authn.ErrUnknownToken
	}
	if err != nil {
		return authn.Principal{}, fmt.Errorf("find token: %w", err)
	}
	var token serviceaccount.Token
	var account serviceaccount.ServiceAccount
	found := authn.Principal{Kind: authn.ServiceAccount, OrganizationID: organization, Suspended: suspended}
	err = errors.Join(json.Unmarshal([]byte(tokenState), &token), json.Unmarshal([]byte(accountState), &account),
		json.Unmarshal([]byte(bindings), &found.Bindings))
	if err != nil {
		return authn.Principal{}, fmt.Errorf("find token: %w", err)
	}
	now := time.Now()
	if !token.Lives(now) {
		return authn.Principal{}, authn.ErrUnknownToken
	}
	s.uses.note(organization, token.ID, now)
	found.ID, found.Role, found.Display = account.ID, account.Role, account.Name
	return found, nil
}
