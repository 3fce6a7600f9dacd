package rpc_test

import (
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func init() {
	for name, attempt := range foreignMembers {
		foreign[name] = attempt
	}
}

// foreignMembers is foreign for people and their sessions.
var foreignMembers = map[string]func(t *testing.T, a, b *tenant){
	"MemberService.InviteMember": func(t *testing.T, a, b *tenant) {
		request := &adminv1.InviteMemberRequest{Email: "both@x.example", Role: viewer}
		differ(t, call(t, a.members.InviteMember, request).Member.Id, call(t, b.members.InviteMember, request).Member.Id)
	},
	"MemberService.GetMember": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.members.GetMember, &adminv1.GetMemberRequest{Id: a.firstMember()})
	},
	"MemberService.ListMembers": func(t *testing.T, a, b *tenant) {
		for _, m := range call(t, b.members.ListMembers, &adminv1.ListMembersRequest{ShowRemoved: true}).Members {
			differ(t, m.Id, a.firstMember())
			differ(t, m.Email, "owner@alpha.example")
		}
	},
	"MemberService.UpdateMember": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.members.UpdateMember, roleOf(a.firstMember(), viewer))
	},
	"MemberService.RemoveMember": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: a.firstMember()})
	},
	"MemberService.EraseMember": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.members.EraseMember, &adminv1.EraseMemberRequest{Id: a.firstMember()})
		same(t, call(t, a.members.GetMember, &adminv1.GetMemberRequest{Id: a.firstMember()}).Member.Email, "owner@alpha.example")
	},
	"MemberService.ListMemberSessions": func(t *testing.T, a, b *tenant) {
		refused(t, connect.CodeNotFound, b.members.ListMemberSessions, &adminv1.ListMemberSessionsRequest{MemberId: a.firstMember()})
	},
	"MemberService.RevokeMemberSessions": func(t *testing.T, a, b *tenant) {
		person := a.in.logIn("owner@alpha.example")
		refused(t, connect.CodeNotFound, b.members.RevokeMemberSessions, &adminv1.RevokeMemberSessionsRequest{MemberId: person.id})
		refused(t, connect.CodeNotFound, b.members.RevokeMemberSessions, &adminv1.RevokeMemberSessionsRequest{
			MemberId: b.firstMember(), SessionId: person.session,
		})
		call(t, person.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	},
	"MemberService.SetJoinDomain": func(t *testing.T, a, b *tenant) {
		set := &adminv1.SetJoinDomainRequest{Domain: "alpha.example", Role: viewer}
		refused(t, connect.CodeFailedPrecondition, a.in.logIn("owner@beta.example").members.SetJoinDomain, set)
		call(t, a.in.logIn("owner@alpha.example").members.SetJoinDomain, set)
	},
	"MemberService.ListJoinDomains": func(t *testing.T, a, b *tenant) {
		call(t, a.in.logIn("owner@alpha.example").members.SetJoinDomain, &adminv1.SetJoinDomainRequest{Domain: "alpha.example", Role: viewer})
		same(t, len(call(t, a.members.ListJoinDomains, &adminv1.ListJoinDomainsRequest{}).JoinDomains), 1)
		same(t, len(call(t, b.members.ListJoinDomains, &adminv1.ListJoinDomainsRequest{}).JoinDomains), 0)
	},
	"MemberService.RemoveJoinDomain": func(t *testing.T, a, b *tenant) {
		domain := call(t, a.in.logIn("owner@alpha.example").members.SetJoinDomain, &adminv1.SetJoinDomainRequest{Domain: "alpha.example", Role: viewer}).JoinDomain
		refused(t, connect.CodeNotFound, b.members.RemoveJoinDomain, &adminv1.RemoveJoinDomainRequest{Id: domain.Id})
		same(t, len(call(t, a.members.ListJoinDomains, &adminv1.ListJoinDomainsRequest{}).JoinDomains), 1)
	},
	"SessionService.ListSessions": func(t *testing.T, a, b *tenant) {
		mine, other := a.in.logIn("owner@beta.example"), a.in.logIn("owner@alpha.example")
		for _, s := range call(t, mine.sessions.ListSessions, &adminv1.ListSessionsRequest{}).Sessions {
			differ(t, s.Id, other.session)
		}
	},
	"SessionService.RevokeSession": func(t *testing.T, a, b *tenant) {
		mine, other := a.in.logIn("owner@beta.example"), a.in.logIn("owner@alpha.example")
		refused(t, connect.CodeNotFound, mine.sessions.RevokeSession, &adminv1.RevokeSessionRequest{Id: other.session})
		call(t, other.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	},
	"SessionService.RevokeAllSessions": func(t *testing.T, a, b *tenant) {
		mine, other := a.in.logIn("owner@beta.example"), a.in.logIn("owner@alpha.example")
		call(t, mine.sessions.RevokeAllSessions, &adminv1.RevokeAllSessionsRequest{})
		refused(t, connect.CodeUnauthenticated, mine.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		call(t, other.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	},
}

// firstMember is the owner who was named when the organization was created.
func (n *tenant) firstMember() string {
	n.t.Helper()
	return call(n.t, n.members.ListMembers, &adminv1.ListMembersRequest{}).Members[0].Id
}

func TestMemberPages(t *testing.T) {
	n := install(t).tenant("alpha")
	want := []string{n.firstMember()}
	for _, name := range []string{"d", "a", "c", "b"} {
		request := &adminv1.InviteMemberRequest{Email: name + "@x.example", Role: viewer, ExpiresAt: timestamppb.Now()}
		refused(t, connect.CodeInvalidArgument, n.members.InviteMember, request)
		request.ExpiresAt = nil
		want = append(want, call(t, n.members.InviteMember, request).Member.Id)
	}
	page, i := &adminv1.Page{Size: 2}, 0
	for {
		answer := call(t, n.members.ListMembers, &adminv1.ListMembersRequest{Page: page})
		for _, m := range answer.Members {
			same(t, m.Id, want[i])
			i++
		}
		if answer.NextPageToken == "" {
			break
		}
		page.Token = answer.NextPageToken
	}
	same(t, i, len(want))
	refused(t, connect.CodeInvalidArgument, n.members.ListMembers, &adminv1.ListMembersRequest{Page: page, ShowRemoved: true})
}
