package rpc_test

import (
	"context"
	"net/http"
	"testing"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/rpc"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// before knows everybody as the one that a caller was a moment ago.
type before authn.Principal

func (b before) Authenticate(context.Context, http.Header) (authn.Principal, error) {
	return authn.Principal(b), nil
}

func (b before) Recheck(context.Context, http.Header) (authn.Principal, error) {
	return authn.Principal(b), nil
}

func TestDemotedMeanwhile(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	viewer := authn.Principal{
		Kind: authn.ServiceAccount, ID: mustParse(t, n.account.Id), OrganizationID: mustParse(t, n.organization.Id), Role: eventv1.Role_ROLE_OWNER,
	}
	another := &installation{t: t, db: in.db, url: in.url, ring: in.ring}
	late := another.serve(rpc.AdminConfig{Authenticator: before(viewer)}).as("any")
	admin := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "admin", Role: adminv1.Role_ROLE_ADMIN}).ServiceAccount
	spare := call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: admin.Id, Name: "spare"}).Token

	const denied = connect.CodePermissionDenied
	t.Run("create", func(t *testing.T) {
		refused(t, denied, late.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "mine", Role: adminv1.Role_ROLE_OWNER})
	})
	t.Run("update", func(t *testing.T) {
		refused(t, denied, late.accounts.UpdateServiceAccount, &adminv1.UpdateServiceAccountRequest{
			ServiceAccount: &adminv1.ServiceAccount{Id: n.account.Id, Role: adminv1.Role_ROLE_OWNER},
		})
	})
	t.Run("delete", func(t *testing.T) {
		refused(t, denied, late.accounts.DeleteServiceAccount, &adminv1.DeleteServiceAccountRequest{Id: admin.Id})
	})
	t.Run("create_a_token", func(t *testing.T) {
		refused(t, denied, late.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: admin.Id, Name: "mine"})
	})
	t.Run("revoke_a_token", func(t *testing.T) {
		refused(t, denied, late.accounts.RevokeServiceAccountToken, &adminv1.RevokeServiceAccountTokenRequest{Id: spare.Id})
	})
	t.Run("invite", func(t *testing.T) {
		refused(t, denied, late.members.InviteMember, &adminv1.InviteMemberRequest{Email: "me@alpha.example", Role: adminv1.Role_ROLE_OWNER})
	})
}
