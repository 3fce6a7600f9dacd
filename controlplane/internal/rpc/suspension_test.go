package rpc_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func (in *installation) suspend(n *tenant) *adminv1.Organization {
	in.t.Helper()
	return call(in.t, in.as(operatorToken).organizations.SuspendOrganization, &adminv1.SuspendOrganizationRequest{
		Id: n.organization.Id, Reason: "unpaid",
	}).Organization
}

func (in *installation) resume(n *tenant) *adminv1.Organization {
	in.t.Helper()
	return call(in.t, in.as(operatorToken).organizations.ResumeOrganization, &adminv1.ResumeOrganizationRequest{Id: n.organization.Id}).Organization
}

// whileSuspended are the RPCs that a suspended organization's people may call.
var whileSuspended = []string{"SessionService.WhoAmI", "SessionService.ListSessions"}

func TestSuspension(t *testing.T) {
	in := install(t)
	n, other := in.tenant("alpha"), in.tenant("beta")
	before := in.logIn("owner@alpha.example")
	call(t, n.members.InviteMember, &adminv1.InviteMemberRequest{Email: "guest@alpha.example", Role: viewer})
	in.enrol(n)
	call(t, n.gateways.CreateEnrolmentToken, &adminv1.CreateEnrolmentTokenRequest{GatewayId: n.gateway.Id})
	n.enrolmentToken = call(t, n.gateways.CreateEnrolmentToken, &adminv1.CreateEnrolmentTokenRequest{GatewayId: n.gateway.Id}).Token

	suspended := in.suspend(n)
	if suspended.SuspendedAt == nil || suspended.SuspensionReason != "unpaid" {
		t.Errorf("got %v", suspended)
	}
	t.Run("every_rpc_is_refused", func(t *testing.T) {
		for _, name := range everyRPC() {
			got := in.ask(n, name)
			if slices.Contains(whileSuspended, name) {
				same(t, got.status, http.StatusOK)
				continue
			}
			if got.status != http.StatusForbidden || got.reason() != organization.ReasonSuspended || !strings.Contains(got.Message, "operates this installation") {
				t.Errorf("%s: %d %s", name, got.status, got.body)
			}
		}
	})
	t.Run("sessions_end", func(t *testing.T) {
		refused(t, connect.CodeUnauthenticated, before.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	})
	var during *person
	t.Run("a_new_login_is_told", func(t *testing.T) {
		during = in.logIn("owner@alpha.example")
		who := call(t, during.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		if !who.OrganizationSuspended || who.SuspensionReason != "unpaid" || len(who.Permissions) > 0 {
			t.Errorf("got %v", who)
		}
		refused(t, connect.CodePermissionDenied, during.projects.ListProjects, &adminv1.ListProjectsRequest{})
	})
	t.Run("nobody_joins", func(t *testing.T) {
		if in.logIn("guest@alpha.example") != nil {
			t.Error("who was invited joined")
		}
		_, err := in.runner.EnrolAgent(t.Context(), hashOf(n.enrolmentToken), publicKey(t), "late")
		same(t, reasonOf(err), organization.ReasonSuspended)
	})
	t.Run("others_go_on", func(t *testing.T) {
		call(t, other.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "meanwhile"})
	})
	t.Run("said_twice", func(t *testing.T) {
		same(t, in.suspend(n).Version, suspended.Version)
	})
	t.Run("resumed", func(t *testing.T) {
		if resumed := in.resume(n); resumed.SuspendedAt != nil || resumed.SuspensionReason != "" || resumed.Version != suspended.Version+1 {
			t.Errorf("got %v", resumed)
		}
		call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "again"})
		call(t, during.projects.ListProjects, &adminv1.ListProjectsRequest{})
		refused(t, connect.CodeUnauthenticated, before.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		if in.logIn("guest@alpha.example") == nil {
			t.Error("who was invited can't join")
		}
		if _, err := in.runner.EnrolAgent(t.Context(), hashOf(n.enrolmentToken), publicKey(t), "late"); err != nil {
			t.Error(err)
		}
	})
}

func reasonOf(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return ""
	}
	return f.Reason
}

// A command that was let in before the suspension and decides after it.
func TestNothingFollowsASuspension(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	deciding, suspended := make(chan struct{}), make(chan struct{})
	ended := make(chan error)
	go func() {
		times := 0
		_, err := in.runner.Commit(t.Context(), command.Origin{Organization: mustParse(t, n.organization.Id), Actor: "member:x"},
			func(context.Context, readmodel.View) (command.Plan, error) {
				if times++; times == 1 {
					close(deciding)
					<-suspended
				}
				changes, err := project.Create(project.Creation{ID: uuid.New(), Settings: project.Settings{Name: "late"}})
				return command.Plan{Changes: changes}, err
			})
		ended <- err
	}()
	<-deciding
	in.replica().suspend(n)
	close(suspended)
	same(t, reasonOf(<-ended), organization.ReasonSuspended)
}

// Two processes write as fast as they can while the operator suspends: what the
// answer's version follows is the operator's own.
func TestSuspendWhileCommandsRun(t *testing.T) {
	in := install(t)
	n, second := in.tenant("alpha"), in.replica()
	for round := range 5 {
		var writers sync.WaitGroup
		wrote := make(chan struct{}, 1000)
		for w := range 4 {
			as := []*installation{in, second}[w%2].as(n.token)
			writers.Go(func() {
				for err := error(nil); err == nil; {
					_, err = as.projects.CreateProject(t.Context(), connect.NewRequest(&adminv1.CreateProjectRequest{Name: "p-" + uuid.NewString()}))
					select {
					case wrote <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 8 + round {
			<-wrote
		}
		suspended := second.suspend(n)
		writers.Wait()
		after, err := pglog.New(in.db).Read(t.Context(), mustParse(t, n.organization.Id), suspended.Version, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range after {
			t.Errorf("version %d, %s of %s, follows the suspension at %d", e.Version, e.Kind, e.Actor, suspended.Version)
		}
		in.resume(n)
	}
}

func TestDeleteOrganization(t *testing.T) {
	in := install(t)
	n, operator := in.tenant("alpha"), in.as(operatorToken)
	person := in.logIn("owner@alpha.example")
	call(t, person.members.SetJoinDomain, &adminv1.SetJoinDomainRequest{Domain: "alpha.example", Role: viewer})
	agent := in.enrol(n)
	deletion := &adminv1.DeleteOrganizationRequest{Id: n.organization.Id, Mutation: &adminv1.Mutation{RequestId: "end"}}
	err := refused(t, connect.CodeFailedPrecondition, operator.organizations.DeleteOrganization, deletion)
	same(t, detail(t, err).GetReason(), "organization_not_suspended")
	in.suspend(n)
	during := in.logIn("owner@alpha.example")
	call(t, operator.organizations.DeleteOrganization, deletion)
	call(t, operator.organizations.DeleteOrganization, deletion)

	refused(t, connect.CodeUnauthenticated, n.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	refused(t, connect.CodeUnauthenticated, during.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	if in.logIn("owner@alpha.example") != nil || in.logIn("new@alpha.example") != nil {
		t.Error("somebody logged in to what is no more")
	}
	if _, err := in.runner.EnrolAgent(t.Context(), hashOf(n.enrolmentToken), publicKey(t), "late"); reasonOf(err) != "enrolment_token_unknown" {
		t.Errorf("got %v", err)
	}
	if _, err := in.store.Agent(t.Context(), agent.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("its agent: %v", err)
	}
	refused(t, connect.CodeNotFound, operator.organizations.ResumeOrganization, &adminv1.ResumeOrganizationRequest{Id: n.organization.Id})
	same(t, len(call(t, operator.organizations.ListOrganizations, &adminv1.ListOrganizationsRequest{}).Organizations), 0)
	again := in.tenant("alpha")
	differ(t, again.organization.Id, n.organization.Id)
	call(t, in.logIn("owner@alpha.example").members.SetJoinDomain, &adminv1.SetJoinDomainRequest{Domain: "alpha.example", Role: viewer})
}
