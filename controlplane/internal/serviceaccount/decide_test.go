package serviceaccount_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	owner  = eventv1.Role_ROLE_OWNER
	admin  = eventv1.Role_ROLE_ADMIN
	viewer = eventv1.Role_ROLE_VIEWER
	nobody = eventv1.Role_ROLE_UNSPECIFIED
)

// Who may make, open and close accounts of a role: those at or above it.
func TestRoles(t *testing.T) {
	cases := []struct {
		name     string
		role, by eventv1.Role
		denied   bool
	}{
		{"own_role", admin, admin, false},
		{"below_own", viewer, admin, false},
		{"above_own", owner, admin, true},
		{"owner_makes_owner", owner, owner, false},
		{"nobody_makes_nothing", viewer, nobody, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			account := serviceaccount.ServiceAccount{ID: uuid.New(), Role: c.role}
			_, create := serviceaccount.Create(serviceaccount.Creation{ID: account.ID, Name: "ci", Role: c.role, By: c.by})
			_, open := account.CreateToken(serviceaccount.TokenCreation{ID: uuid.New(), Name: "t", By: c.by})
			_, revoke := account.RevokeToken(serviceaccount.Token{}, "", c.by)
			for what, err := range map[string]error{"create": create, "open": open, "revoke": revoke} {
				if fault.Is(err, fault.Denied) != c.denied {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

func TestLives(t *testing.T) {
	now := time.Now()
	cases := map[string]struct {
		token serviceaccount.Token
		lives bool
	}{
		"for_ever":       {serviceaccount.Token{}, true},
		"not_yet_over":   {serviceaccount.Token{ExpiresAt: now.Add(1)}, true},
		"over":           {serviceaccount.Token{ExpiresAt: now}, false},
		"revoked":        {serviceaccount.Token{RevokedAt: now.Add(-time.Hour)}, false},
		"revoked_in_use": {serviceaccount.Token{RevokedAt: now, ExpiresAt: now.Add(time.Hour)}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.token.Lives(now); got != c.lives {
				t.Errorf("lives: %t", got)
			}
		})
	}
}
