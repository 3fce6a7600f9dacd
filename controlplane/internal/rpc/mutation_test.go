package rpc_test

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/token"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func TestIdempotency(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	request := &adminv1.CreateKeyRequest{Name: "again", ProjectId: n.project.Id, Mutation: &adminv1.Mutation{RequestId: "r1"}}
	first := call(t, n.keys.CreateKey, request)
	if !token.Valid(first.Secret, token.Key) || first.SecretAlreadyShown {
		t.Fatalf("first answer: %v", first)
	}
	t.Run("same_request_same_answer_without_its_secret", func(t *testing.T) {
		second := call(t, n.keys.CreateKey, request)
		same(t, second.Key.Id, first.Key.Id)
		same(t, second.Key.Etag, first.Key.Etag)
		same(t, second.Secret, "")
		same(t, second.SecretAlreadyShown, true)
	})
	t.Run("other_request_is_refused", func(t *testing.T) {
		refused(t, connect.CodeInvalidArgument, n.keys.CreateKey, &adminv1.CreateKeyRequest{
			Name: "other", ProjectId: n.project.Id, Mutation: request.Mutation,
		})
		refused(t, connect.CodeInvalidArgument, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "again", Mutation: request.Mutation})
	})
	t.Run("another_caller_has_ids_of_its_own", func(t *testing.T) {
		account := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "other", Role: adminv1.Role_ROLE_OWNER}).ServiceAccount
		secret := call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: account.Id, Name: "t"}).Secret
		refused(t, connect.CodeAlreadyExists, in.as(secret).keys.CreateKey, request)
	})
	t.Run("no_op_answers_are_stored_too", func(t *testing.T) {
		call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: first.Key.Id})
		revoke := &adminv1.RevokeKeyRequest{Id: first.Key.Id, Mutation: &adminv1.Mutation{RequestId: "r2"}}
		once, twice := call(t, n.keys.RevokeKey, revoke), call(t, n.keys.RevokeKey, revoke)
		same(t, once.Key.RevokedAt.AsTime(), twice.Key.RevokedAt.AsTime())
	})
	t.Run("organizations", func(t *testing.T) {
		operator := in.as(operatorToken)
		found := &adminv1.CreateOrganizationRequest{Name: "gamma", OwnerEmail: "a@gamma.example", Mutation: &adminv1.Mutation{RequestId: "r1"}}
		once, twice := call(t, operator.organizations.CreateOrganization, found), call(t, operator.organizations.CreateOrganization, found)
		same(t, once.Organization.Id, twice.Organization.Id)
		same(t, twice.ServiceAccountToken, "")
		same(t, twice.SecretAlreadyShown, true)
		found.Name = "delta"
		refused(t, connect.CodeInvalidArgument, operator.organizations.CreateOrganization, found)
		found.Name, found.Mutation = "gamma", nil
		refused(t, connect.CodeAlreadyExists, operator.organizations.CreateOrganization, found)
	})
}

func TestValidateOnly(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	before := n.version()
	dry := &adminv1.Mutation{ValidateOnly: true, RequestId: "dry"}
	answer := call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "dry", ProjectId: n.project.Id, Mutation: dry})
	same(t, answer.Secret, "")
	same(t, answer.Key.Name, "dry")
	refused(t, connect.CodeAlreadyExists, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "app", Mutation: dry})
	refused(t, connect.CodeNotFound, n.keys.GetKey, &adminv1.GetKeyRequest{Id: answer.Key.Id})
	same(t, n.version(), before)
	call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "wet", ProjectId: n.project.Id, Mutation: &adminv1.Mutation{RequestId: "dry"}})
}

func TestRevokedNamesAreFree(t *testing.T) {
	n := install(t).tenant("alpha")
	again := &adminv1.CreateKeyRequest{Name: "first", ProjectId: n.project.Id}
	refused(t, connect.CodeAlreadyExists, n.keys.CreateKey, again)
	revoked := call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id, Reason: "leaked"}).Key
	if time.Since(revoked.RevokedAt.AsTime()).Abs() > time.Minute {
		t.Errorf("revoked at %v", revoked.RevokedAt.AsTime())
	}
	call(t, n.keys.CreateKey, again)
	once := call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id, Reason: "again"}).Key
	same(t, once.RevokedAt.AsTime(), revoked.RevokedAt.AsTime())
}

func TestRacedCreates(t *testing.T) {
	n := install(t).tenant("alpha")
	const racers = 16
	var codes [racers]connect.Code
	var group sync.WaitGroup
	for i := range racers {
		group.Go(func() {
			_, err := n.projects.CreateProject(t.Context(), connect.NewRequest(&adminv1.CreateProjectRequest{Name: "raced"}))
			if err != nil {
				codes[i] = connect.CodeOf(err)
			}
		})
	}
	group.Wait()
	won := 0
	for _, code := range codes {
		switch code {
		case 0:
			won++
		case connect.CodeAlreadyExists:
		default:
			t.Errorf("a racer got %s", code)
		}
	}
	same(t, won, 1)
}

func TestRolesAboveOwn(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	account := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "admin", Role: adminv1.Role_ROLE_ADMIN}).ServiceAccount
	admin := in.as(call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: account.Id, Name: "t"}).Secret)
	owner := call(t, n.sessions.WhoAmI, &adminv1.WhoAmIRequest{}).Id
	refused(t, connect.CodePermissionDenied, admin.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "up", Role: adminv1.Role_ROLE_OWNER})
	refused(t, connect.CodePermissionDenied, admin.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: owner, Name: "up"})
	tokens := call(t, n.accounts.GetServiceAccount, &adminv1.GetServiceAccountRequest{Id: owner}).ServiceAccount.Tokens
	refused(t, connect.CodePermissionDenied, admin.accounts.RevokeServiceAccountToken, &adminv1.RevokeServiceAccountTokenRequest{Id: tokens[0].Id})
	call(t, admin.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "level", Role: adminv1.Role_ROLE_ADMIN})
}

func TestTokensEnd(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	made := call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{
		ServiceAccountId: n.account.Id, Name: "brief", ExpiresAt: timestamppb.New(time.Now().Add(time.Hour)),
	})
	viewer := in.as(made.Secret)
	same(t, call(t, viewer.sessions.WhoAmI, &adminv1.WhoAmIRequest{}).Role, adminv1.Role_ROLE_VIEWER)
	refused(t, connect.CodePermissionDenied, viewer.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "mine"})
	call(t, n.accounts.RevokeServiceAccountToken, &adminv1.RevokeServiceAccountTokenRequest{Id: made.Token.Id})
	refused(t, connect.CodeUnauthenticated, viewer.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
}

func (n *tenant) version() int64 {
	answer, err := n.organizations.GetOrganization(n.t.Context(), connect.NewRequest(&adminv1.GetOrganizationRequest{}))
	if err != nil {
		n.t.Fatal(err)
	}
	return answer.Msg.Organization.Version
}

// Only the binary form can carry such times.
func TestTimesOutOfRange(t *testing.T) {
	n := install(t).tenant("alpha")
	never := &timestamppb.Timestamp{Seconds: math.MaxInt64}
	for name, err := range map[string]*connect.Error{
		"time": refused(t, connect.CodeInvalidArgument, n.projects.GetProject, &adminv1.GetProjectRequest{
			Id: n.project.Id, AsOf: &adminv1.AsOf{Point: &adminv1.AsOf_Time{Time: never}},
		}),
		"expires_at": refused(t, connect.CodeInvalidArgument, n.gateways.CreateEnrolmentToken, &adminv1.CreateEnrolmentTokenRequest{
			GatewayId: n.gateway.Id, ExpiresAt: never,
		}),
		"overlap": refused(t, connect.CodeInvalidArgument, n.keys.RotateKey, &adminv1.RotateKeyRequest{
			Id: n.key.Id, Overlap: &durationpb.Duration{Seconds: 1, Nanos: math.MinInt32},
		}),
	} {
		same(t, strings.Join(violations(t, err), " "), name)
	}
}
