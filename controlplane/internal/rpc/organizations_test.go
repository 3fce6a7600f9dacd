package rpc_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func TestUpdateOrganization(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	in.tenant("beta")
	read := func(as *adminv1.AsOf) *adminv1.Organization {
		return call(t, n.organizations.GetOrganization, &adminv1.GetOrganizationRequest{AsOf: as}).Organization
	}
	update := func(o *adminv1.Organization, paths ...string) *adminv1.UpdateOrganizationRequest {
		return &adminv1.UpdateOrganizationRequest{Organization: o, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}}
	}
	before := read(nil)
	renamed := call(t, n.organizations.UpdateOrganization, update(&adminv1.Organization{Id: before.Id, Name: "gamma", DisplayName: "Gamma"})).Organization
	same(t, renamed.Name+" "+renamed.DisplayName, "gamma Gamma")
	same(t, renamed.Version, before.Version+1)

	t.Run("the_past", func(t *testing.T) {
		was := read(&adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: before.Version}})
		same(t, was.Name, "alpha")
		same(t, was.Version, before.Version)
		same(t, read(nil).Name, "gamma")
	})
	t.Run("names_are_unique_over_the_installation", func(t *testing.T) {
		refused(t, connect.CodeAlreadyExists, n.organizations.UpdateOrganization, update(&adminv1.Organization{Name: "beta"}))
		in.tenant("alpha")
	})
	t.Run("etags", func(t *testing.T) {
		before.DisplayName = "late"
		err := refused(t, connect.CodeAborted, n.organizations.UpdateOrganization, update(before, "display_name"))
		same(t, detail(t, err).GetMetadata()["etag"], renamed.Etag)
	})
	t.Run("what_can_not_be_changed", func(t *testing.T) {
		refused(t, connect.CodeInvalidArgument, n.organizations.UpdateOrganization, update(&adminv1.Organization{}, "suspended_at"))
	})
	t.Run("regions", func(t *testing.T) {
		err := refused(t, connect.CodeFailedPrecondition, n.organizations.UpdateOrganization, update(&adminv1.Organization{AllowedRegions: []string{"eu"}}))
		if detail(t, err).GetReason() != "region_in_use" || !strings.Contains(err.Message(), `"prod"`) {
			t.Errorf("got %v", err)
		}
		call(t, n.organizations.UpdateOrganization, update(&adminv1.Organization{AllowedRegions: []string{"local", "eu"}}))
		err = refused(t, connect.CodeFailedPrecondition, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "far", Region: "us"})
		same(t, detail(t, err).GetReason(), "region_not_allowed")
		call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "near", Region: "eu"})
		call(t, n.organizations.UpdateOrganization, update(&adminv1.Organization{}, "allowed_regions"))
		call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "far", Region: "us"})
	})
}

// Two organizations take the same name at once: one gets it, the other is told.
func TestNamesTakenAtOnce(t *testing.T) {
	in := install(t)
	tenants := []*tenant{in.tenant("alpha"), in.tenant("beta")}
	var won atomic.Int64
	var both sync.WaitGroup
	for _, n := range tenants {
		both.Go(func() {
			_, err := n.organizations.UpdateOrganization(t.Context(), connect.NewRequest(&adminv1.UpdateOrganizationRequest{
				Organization: &adminv1.Organization{Name: "wanted"},
			}))
			if err == nil {
				won.Add(1)
			} else if connect.CodeOf(err) != connect.CodeAlreadyExists {
				t.Error(err)
			}
		})
	}
	both.Wait()
	same(t, won.Load(), 1)
}
