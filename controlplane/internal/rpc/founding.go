package rpc

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
	"github.com/weirhq/weir/controlplane/internal/token"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// bootstrapName is the first service account's and its token's.
const bootstrapName = "bootstrap"

// organizationsByRequest names organizations after the request that founds them,
// so that the request said again finds its stored answer.
var organizationsByRequest = uuid.MustParse("4f6f1f0c-2b0e-4f0a-9a55-6f1d0b9c7a11")

// founding is a new organization on its way into its log.
type founding struct {
	request             *adminv1.CreateOrganizationRequest
	organization, owner uuid.UUID
	account             uuid.UUID
	token               serviceaccount.TokenCreation
	secret              string
}

func newFounding(request *adminv1.CreateOrganizationRequest) (*founding, error) {
	f := &founding{request: request}
	tokenID := uuid.Nil
	for _, id := range []*uuid.UUID{&f.organization, &f.owner, &f.account, &tokenID} {
		var err error
		if *id, err = newID(); err != nil {
			return nil, err
		}
	}
	if said := request.GetMutation().GetRequestId(); said != "" {
		f.organization = uuid.NewSHA1(organizationsByRequest, []byte(said))
	}
	secret, hash, suffix, err := token.New(token.ServiceAccount)
	f.secret = secret
	f.token = serviceaccount.TokenCreation{
		ID: tokenID, Name: bootstrapName, SHA256: hash, Suffix: suffix, Now: time.Now(), By: eventv1.Role_ROLE_OWNER,
	}
	return f, err
}

func (f *founding) changes(nameTaken bool) ([]eventlog.Change, error) {
	begun, err := organization.Create(organization.Creation{
		ID: f.organization, Name: f.request.GetName(), DisplayName: f.request.GetDisplayName(), NameTaken: nameTaken,
	})
	if err != nil {
		return nil, err
	}
	owner, err := member.Add(f.owner, eventv1.Role_ROLE_OWNER, uuid.Nil)
	if err != nil {
		return nil, err
	}
	account, err := serviceaccount.Create(serviceaccount.Creation{
		ID: f.account, Name: bootstrapName, Role: eventv1.Role_ROLE_OWNER, By: eventv1.Role_ROLE_OWNER,
	})
	if err != nil {
		return nil, err
	}
	opened, err := serviceaccount.ServiceAccount{ID: f.account, Role: eventv1.Role_ROLE_OWNER}.CreateToken(f.token)
	return slices.Concat(begun, owner, account, opened), err
}

func (f *founding) answer(recorded []eventlog.Event) (*adminv1.CreateOrganizationResponse, error) {
	o, err := organization.Apply(organization.Organization{}, recorded[0])
	return &adminv1.CreateOrganizationResponse{
		Organization:        toProtoOrganization(o, recorded[len(recorded)-1].Version),
		ServiceAccountToken: f.secret,
	}, err
}
