package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/identity"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const owner = eventv1.Role_ROLE_OWNER

func join(t *testing.T, db *postgres.DB, email string) (organization, id uuid.UUID) {
	t.Helper()
	organization, id = uuid.New(), uuid.New()
	changes, err := creating(organization)
	if err != nil {
		t.Fatal(err)
	}
	added, err := member.Add(id, owner, uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	changes = append(changes, added...)
	_, err = pglog.New(db, readmodel.Project).AppendWith(t.Context(),
		eventlog.Append{OrganizationID: organization, Changes: changes}, identity.AddPerson(organization, id, email))
	if err != nil {
		t.Fatal(err)
	}
	return organization, id
}

var errStranger = errors.New("a stranger")

func resolve(t *testing.T, members *identity.Members, p authn.Person) (authn.Principal, error) {
	t.Helper()
	found, err := members.Memberships(t.Context(), p)
	if err == nil && len(found) == 0 {
		return authn.Principal{}, errStranger
	}
	if err != nil {
		return authn.Principal{}, err
	}
	return found[0].Principal, nil
}

func creating(id uuid.UUID) ([]eventlog.Change, error) {
	return organization.Create(organization.Creation{ID: id, Name: "o-" + id.String()})
}

func newMembers(db *postgres.DB) *identity.Members {
	return identity.NewMembers(db, command.NewRunner(pglog.New(db, readmodel.Project), readmodel.New(db)))
}

func TestResolve(t *testing.T) {
	db := pgtest.Open(t)
	members := newMembers(db)
	organization, id := join(t, db, "Ada@Example.com")
	person := authn.Person{Issuer: "https://idp", Subject: "s1", Email: "ADA@example.com", EmailVerified: true, Name: "Ada"}
	unverified := person
	unverified.EmailVerified = false
	if _, err := resolve(t, members, unverified); !errors.Is(err, errStranger) {
		t.Errorf("an unverified address got %v", err)
	}
	got, err := resolve(t, members, person)
	want := authn.Principal{Kind: authn.Member, ID: id, OrganizationID: organization, Role: owner, Display: "Ada"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("first login: %+v, %v", got, err)
	}
	moved := person
	moved.Email, moved.EmailVerified = "other@example.com", false
	if got, err := resolve(t, members, moved); err != nil || got.ID != id {
		t.Errorf("with another address: %+v, %v", got, err)
	}
	other := person
	other.Subject = "s2"
	if _, err := resolve(t, members, other); !errors.Is(err, errStranger) {
		t.Errorf("another person with the bound address got %v", err)
	}
	other.Email = ""
	if _, err := resolve(t, members, other); !errors.Is(err, errStranger) {
		t.Errorf("no address got %v", err)
	}
}

func TestSessions(t *testing.T) {
	db := pgtest.Open(t)
	sessions := identity.NewSessions(db)
	organization, id := join(t, db, "ada@example.com")
	now := time.Now().Truncate(time.Microsecond)
	hash := [32]byte{1}
	session := authn.Session{
		Hash: hash, Principal: authn.Principal{Kind: authn.Member, ID: id, OrganizationID: organization},
		CreatedAt: now, IdleExpiresAt: now.Add(time.Minute), ExpiresAt: now.Add(time.Hour),
	}
	if err := sessions.Create(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	lives := func(hash [32]byte, at time.Time) bool {
		t.Helper()
		found, err := sessions.Find(t.Context(), hash, at)
		if err != nil && !errors.Is(err, authn.ErrNoSession) {
			t.Fatal(err)
		}
		if err == nil && (found.Principal.ID != id || found.Principal.Role != owner || found.Hash != hash) {
			t.Errorf("found %+v", found)
		}
		return err == nil
	}
	if !lives(hash, now) || lives([32]byte{2}, now) || lives(hash, now.Add(time.Minute)) {
		t.Error("a fresh session lives for its idle time, others do not")
	}
	if err := sessions.Touch(t.Context(), hash, now, now.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if !lives(hash, now.Add(59*time.Minute)) || lives(hash, now.Add(time.Hour)) {
		t.Error("a used session lives until it expires")
	}
	if err := errors.Join(sessions.Delete(t.Context(), hash), sessions.Delete(t.Context(), hash)); err != nil {
		t.Fatal(err)
	}
	if lives(hash, now) {
		t.Error("a deleted session lives")
	}
}

func TestFindToken(t *testing.T) {
	db := pgtest.Open(t)
	log, organization := pglog.New(db, readmodel.Project), uuid.New()
	account := serviceaccount.ServiceAccount{ID: uuid.New(), Role: eventv1.Role_ROLE_ANALYST}
	made, err := serviceaccount.Create(serviceaccount.Creation{ID: account.ID, Name: "ci", Role: account.Role, By: owner})
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[string][32]byte{"living": {1}, "expired": {2}, "revoked": {3}}
	past := time.Now().Add(-time.Hour)
	for name, hash := range hashes {
		c := serviceaccount.TokenCreation{ID: uuid.New(), Name: name, SHA256: hash, By: owner, Now: past.Add(-time.Hour)}
		if name == "expired" {
			c.ExpiresAt = past
		}
		opened, err := account.CreateToken(c)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, opened...)
	}
	begun, err := creating(organization)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), eventlog.Append{OrganizationID: organization, Changes: append(begun, made...)}); err != nil {
		t.Fatal(err)
	}
	for _, change := range made {
		body, ok := change.Body.(*eventv1.ServiceAccountTokenCreated)
		if !ok || body.Name != "revoked" {
			continue
		}
		revoked, err := account.RevokeToken(serviceaccount.Token{ID: change.Subject}, "", owner)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(t.Context(), eventlog.Append{OrganizationID: organization, Head: 5, Changes: revoked}); err != nil {
			t.Fatal(err)
		}
	}
	tokens := identity.NewTokens(db)
	got, err := tokens.FindToken(t.Context(), hashes["living"])
	want := authn.Principal{Kind: authn.ServiceAccount, ID: account.ID, OrganizationID: organization, Role: account.Role, Display: "ci"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("living: %+v, %v", got, err)
	}
	for _, hash := range [][32]byte{hashes["expired"], hashes["revoked"], {9}} {
		if _, err := tokens.FindToken(t.Context(), hash); !errors.Is(err, authn.ErrUnknownToken) {
			t.Errorf("token %d: %v", hash[0], err)
		}
	}
}
