package identity_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
)

// Requests note, minutes write: one row a token, and the latest use wins whichever
// process is the last to write.
func TestLastUses(t *testing.T) {
	db := pgtest.Open(t)
	organization, _ := join(t, db, "ada@example.com")
	account := serviceaccount.ServiceAccount{ID: uuid.New(), Role: owner}
	token := serviceaccount.TokenCreation{ID: uuid.New(), Name: "t", SHA256: [32]byte{1}, By: owner}
	changes, err := serviceaccount.Create(serviceaccount.Creation{ID: account.ID, Name: "ci", Role: owner, By: owner})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := account.CreateToken(token)
	if err != nil {
		t.Fatal(err)
	}
	log := pglog.New(db, readmodel.Project)
	if _, err := log.Append(t.Context(), eventlog.Append{OrganizationID: organization, Head: 2, Changes: append(changes, opened...)}); err != nil {
		t.Fatal(err)
	}
	saved := func() (at time.Time, row string) {
		t.Helper()
		err := readmodel.New(db).Read(t.Context(), organization, func(v readmodel.View) error {
			found, err := identity.LastUses(t.Context(), v, []uuid.UUID{token.ID, uuid.New()})
			at = found[token.ID]
			if err != nil || at.IsZero() {
				return err
			}
			return v.Tx.QueryRow(t.Context(), `SELECT xmin::text FROM service_account_token_use`).Scan(&row)
		})
		if err != nil {
			t.Fatal(err)
		}
		return at, row
	}
	find := func(s *identity.Tokens) {
		t.Helper()
		if _, err := s.FindToken(t.Context(), token.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	save := func(s *identity.Tokens) {
		t.Helper()
		if err := s.SaveUses(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	early, late := identity.NewTokens(db), identity.NewTokens(db)
	find(early)
	if _, err := late.FindToken(t.Context(), [32]byte{2}); err == nil {
		t.Error("found what is not there")
	}
	if at, _ := saved(); !at.IsZero() {
		t.Errorf("a request wrote %s", at)
	}
	between := time.Now()
	for range 3 {
		find(late)
	}
	save(late)
	last, row := saved()
	if last.Before(between.Truncate(time.Microsecond)) {
		t.Errorf("used at %s, which is before %s", last, between)
	}
	save(late)
	if _, again := saved(); again != row {
		t.Error("written again without a use")
	}
	save(early)
	if at, _ := saved(); !at.Equal(last) {
		t.Errorf("used at %s, after a late write at %s", last, at)
	}
	err = db.InOrganization(t.Context(), uuid.New(), func(tx pgx.Tx) error {
		found, err := identity.LastUses(t.Context(), readmodel.View{Tx: tx, Organization: organization}, []uuid.UUID{token.ID})
		if len(found) > 0 {
			t.Error("another organization sees it")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
