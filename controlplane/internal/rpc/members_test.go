package rpc_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/identity"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const (
	owner   = adminv1.Role_ROLE_OWNER
	admin   = adminv1.Role_ROLE_ADMIN
	analyst = adminv1.Role_ROLE_ANALYST
	viewer  = adminv1.Role_ROLE_VIEWER
)

// person is somebody who logged in to the console.
type person struct {
	client
	id, session string
	headers     map[string]string
}

// logIn is what the login does after the provider vouched for an address; nil: not a member.
func (in *installation) logIn(email string) *person {
	in.t.Helper()
	found := in.memberships(email)
	if len(found) == 0 {
		return nil
	}
	return in.enter(found[0].Principal)
}

func (in *installation) memberships(email string) []authn.Membership {
	in.t.Helper()
	found, err := identity.NewMembers(in.db, in.runner).Memberships(in.t.Context(), authn.Person{
		Issuer: "https://idp", Subject: email, Email: email, EmailVerified: true, Name: "Name of " + email,
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return found
}

func (in *installation) enter(as authn.Principal) *person {
	in.t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	cookie := base64.RawURLEncoding.EncodeToString(secret)
	now := time.Now()
	session := authn.Session{
		ID: uuid.New(), Hash: sha256.Sum256([]byte(cookie)), Principal: as, CreatedAt: now, LastSeenAt: now,
		Address: "192.0.2.7", UserAgent: "Lynx", IdleExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(2 * time.Hour),
	}
	if err := identity.NewSessions(in.db).Create(in.t.Context(), session); err != nil {
		in.t.Fatal(err)
	}
	p := &person{id: as.ID.String(), session: session.ID.String(), headers: map[string]string{
		"Cookie": "weir_session=" + cookie, "Sec-Fetch-Site": "same-origin",
	}}
	p.client = in.sending(p.headers)
	return p
}

func (in *installation) invited(n *tenant, email string, role adminv1.Role) *person {
	in.t.Helper()
	invited := call(in.t, n.members.InviteMember, &adminv1.InviteMemberRequest{Email: email, Role: role}).Member
	for _, m := range in.memberships(email) {
		if m.Principal.ID.String() == invited.Id {
			return in.enter(m.Principal)
		}
	}
	in.t.Fatalf("%s is not member %s", email, invited.Id)
	return nil
}

func TestInvitations(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	invite := &adminv1.InviteMemberRequest{Email: "Ada@Alpha.example", Role: analyst}
	first := call(t, n.members.InviteMember, invite).Member
	same(t, first.State, adminv1.MemberState_MEMBER_STATE_INVITED)
	same(t, first.Email, "")
	same(t, call(t, n.members.GetMember, &adminv1.GetMemberRequest{Id: first.Id}).Member.Email, "ada@alpha.example")
	same(t, call(t, n.members.InviteMember, invite).Member.Id, first.Id)
	other := &adminv1.InviteMemberRequest{Email: "ada@alpha.example", Role: viewer}
	same(t, reason(t, refused(t, connect.CodeAlreadyExists, n.members.InviteMember, other)), "already_invited")
	if in.logIn("eve@alpha.example") != nil {
		t.Error("somebody else joined")
	}

	ada := in.logIn("ada@alpha.example")
	same(t, ada.id, first.Id)
	got := call(t, n.members.GetMember, &adminv1.GetMemberRequest{Id: first.Id}).Member
	same(t, got.State, adminv1.MemberState_MEMBER_STATE_ACTIVE)
	same(t, got.Name, "Name of ada@alpha.example")
	same(t, got.Role, analyst)
	same(t, reason(t, refused(t, connect.CodeAlreadyExists, n.members.InviteMember, invite)), "already_member")
	me := call(t, ada.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	same(t, me.Role, analyst)
	refused(t, connect.CodePermissionDenied, ada.members.ListMembers, &adminv1.ListMembersRequest{})
	if in.logIn("ada@alpha.example").id != ada.id {
		t.Error("the second login is another member")
	}

	t.Run("expired", func(t *testing.T) {
		soon := timestamppb.New(time.Now().Add(300 * time.Millisecond))
		late := call(t, n.members.InviteMember, &adminv1.InviteMemberRequest{Email: "late@alpha.example", Role: viewer, ExpiresAt: soon}).Member
		time.Sleep(time.Until(soon.AsTime()))
		if in.logIn("late@alpha.example") != nil {
			t.Error("an expired invitation let somebody in")
		}
		again := call(t, n.members.InviteMember, &adminv1.InviteMemberRequest{Email: "late@alpha.example", Role: admin}).Member
		differ(t, again.Id, late.Id)
		same(t, in.logIn("late@alpha.example").id, again.Id)
	})
	t.Run("taken_back", func(t *testing.T) {
		gone := call(t, n.members.InviteMember, &adminv1.InviteMemberRequest{Email: "gone@alpha.example", Role: viewer}).Member
		removed := call(t, n.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: gone.Id}).Member
		same(t, removed.State, adminv1.MemberState_MEMBER_STATE_REMOVED)
		if in.logIn("gone@alpha.example") != nil {
			t.Error("who was disinvited joined")
		}
		if text := strings.Join(in.everyRow()["member_person"], "\n"); strings.Contains(text, "gone@") {
			t.Error("the address is kept")
		}
	})
}

func TestRemovedMembers(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	ada := in.invited(n, "ada@alpha.example", viewer)
	other := in.invited(n, "other@alpha.example", viewer)
	call(t, ada.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	call(t, n.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: ada.id})
	refused(t, connect.CodeUnauthenticated, ada.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	call(t, other.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	if rows := in.everyRow()["session"]; len(rows) != 1 {
		t.Errorf("%d sessions are kept", len(rows))
	}
	if in.logIn("ada@alpha.example") != nil {
		t.Error("who was removed logged in")
	}
	same(t, call(t, n.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: ada.id}).Member.State, adminv1.MemberState_MEMBER_STATE_REMOVED)
	same(t, reason(t, refused(t, connect.CodeFailedPrecondition, n.members.UpdateMember, roleOf(ada.id, admin))), "member_removed")
	t.Run("a_session_made_at_that_moment_is_none", func(t *testing.T) {
		late := in.enter(authn.Principal{Kind: authn.Member, ID: uuid.MustParse(ada.id), OrganizationID: uuid.MustParse(n.organization.Id)})
		refused(t, connect.CodeUnauthenticated, late.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	})
	t.Run("listed_when_asked_for", func(t *testing.T) {
		for _, removed := range []bool{false, true} {
			seen := false
			for _, m := range call(t, n.members.ListMembers, &adminv1.ListMembersRequest{ShowRemoved: removed}).Members {
				seen = seen || m.Id == ada.id
			}
			same(t, seen, removed)
		}
	})
	t.Run("back_by_invitation_as_somebody_new", func(t *testing.T) {
		differ(t, in.invited(n, "ada@alpha.example", viewer).id, ada.id)
		refused(t, connect.CodeUnauthenticated, ada.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	})
}

func TestErasedMembers(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	ada := in.invited(n, "canary.ada@alpha.example", viewer)
	erase := &adminv1.EraseMemberRequest{Id: ada.id, Mutation: &adminv1.Mutation{RequestId: "erase"}}
	same(t, call(t, n.members.EraseMember, erase).Member.State, adminv1.MemberState_MEMBER_STATE_ERASED)
	refused(t, connect.CodeUnauthenticated, ada.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	call(t, n.members.EraseMember, &adminv1.EraseMemberRequest{Id: ada.id})
	got := call(t, n.members.GetMember, &adminv1.GetMemberRequest{Id: ada.id}).Member
	same(t, got.State, adminv1.MemberState_MEMBER_STATE_ERASED)
	same(t, got.Email+got.Name, "")
	for table, rows := range in.everyRow() {
		if strings.Contains(strings.Join(rows, "\n"), "canary.ada") {
			t.Errorf("%s knows who it was", table)
		}
	}
	if strings.Contains(in.logs.String(), "canary.ada") {
		t.Error("the server's log knows who it was")
	}
	if in.logIn("canary.ada@alpha.example") != nil {
		t.Error("who was erased logged in")
	}
}

func TestMemberRoles(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	first := in.logIn("owner@alpha.example")
	boss := in.invited(n, "boss@alpha.example", admin)
	low := in.invited(n, "low@alpha.example", viewer)
	t.Run("nobody_gives_or_takes_above_their_own", func(t *testing.T) {
		invite := func(role adminv1.Role) *adminv1.InviteMemberRequest {
			return &adminv1.InviteMemberRequest{Email: "new@alpha.example", Role: role}
		}
		above := func(err *connect.Error) { same(t, reason(t, err), "role_above_own") }
		above(refused(t, connect.CodePermissionDenied, boss.members.InviteMember, invite(owner)))
		above(refused(t, connect.CodePermissionDenied, boss.members.UpdateMember, roleOf(low.id, owner)))
		above(refused(t, connect.CodePermissionDenied, boss.members.UpdateMember, roleOf(boss.id, owner)))
		above(refused(t, connect.CodePermissionDenied, boss.members.UpdateMember, roleOf(first.id, viewer)))
		above(refused(t, connect.CodePermissionDenied, boss.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: first.id}))
		above(refused(t, connect.CodePermissionDenied, boss.members.EraseMember, &adminv1.EraseMemberRequest{Id: first.id}))
		above(refused(t, connect.CodePermissionDenied, boss.members.RevokeMemberSessions, &adminv1.RevokeMemberSessionsRequest{MemberId: first.id}))
		refused(t, connect.CodePermissionDenied, low.members.InviteMember, invite(viewer))
		call(t, boss.members.UpdateMember, roleOf(low.id, admin))
		same(t, call(t, low.sessions.WhoAmI, &adminv1.WhoAmIRequest{}).Role, admin)
		call(t, low.members.UpdateMember, roleOf(low.id, viewer))
	})
	t.Run("the_last_owner_stays", func(t *testing.T) {
		last := func(err *connect.Error) { same(t, reason(t, err), "last_owner") }
		call(t, n.members.InviteMember, &adminv1.InviteMemberRequest{Email: "never@alpha.example", Role: owner}) // counts for nothing yet
		last(refused(t, connect.CodeFailedPrecondition, first.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: first.id}))
		last(refused(t, connect.CodeFailedPrecondition, first.members.EraseMember, &adminv1.EraseMemberRequest{Id: first.id}))
		last(refused(t, connect.CodeFailedPrecondition, first.members.UpdateMember, roleOf(first.id, admin)))
		last(refused(t, connect.CodeFailedPrecondition, n.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: first.id}))
		second := in.invited(n, "second@alpha.example", owner)
		call(t, first.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: first.id})
		last(refused(t, connect.CodeFailedPrecondition, second.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: second.id}))
	})
	t.Run("stale_etags_are_refused", func(t *testing.T) {
		stale := roleOf(low.id, analyst)
		stale.Mutation = &adminv1.Mutation{Etag: "1"}
		refused(t, connect.CodeAborted, n.members.UpdateMember, stale)
	})
}

// Two who remove, or demote, each other at once in two processes: one wins, whether
// or not an owner would be left.
func TestMembersWhoRemoveEachOtherAtOnce(t *testing.T) {
	in := install(t)
	twin := in.replica()
	for name, test := range map[string]struct {
		others int
		act    func(p *person, on string) error
	}{
		"the_only_two_owners": {0, func(p *person, on string) error {
			_, err := p.members.RemoveMember(t.Context(), connect.NewRequest(&adminv1.RemoveMemberRequest{Id: on}))
			return err
		}},
		"two_of_three": {1, func(p *person, on string) error {
			_, err := p.members.RemoveMember(t.Context(), connect.NewRequest(&adminv1.RemoveMemberRequest{Id: on}))
			return err
		}},
		"demoted": {1, func(p *person, on string) error {
			_, err := p.members.UpdateMember(t.Context(), connect.NewRequest(roleOf(on, viewer)))
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for round := range 10 {
				n := in.tenant(strings.ReplaceAll(name, "_", "-") + "-" + string(rune('a'+round)))
				a := in.logIn("owner@" + n.organization.Name + ".example")
				b := in.invited(n, "b@x.example", owner)
				for i := range test.others {
					in.invited(n, string(rune('c'+i))+"@x.example", owner)
				}
				b.client = twin.sending(b.headers)
				var errs [2]error
				var group sync.WaitGroup
				group.Go(func() { errs[0] = test.act(a, b.id) })
				group.Go(func() { errs[1] = test.act(b, a.id) })
				group.Wait()
				if (errs[0] == nil) == (errs[1] == nil) {
					t.Fatalf("round %d: %v; %v", round, errs[0], errs[1])
				}
			}
		})
	}
}

func TestJoinDomains(t *testing.T) {
	in := install(t)
	n, m := in.tenant("alpha"), in.tenant("beta")
	first := in.logIn("owner@alpha.example")
	set := &adminv1.SetJoinDomainRequest{Domain: "Alpha.example", Role: analyst}
	t.Run("only_with_an_address_of_the_domain", func(t *testing.T) {
		foreign := in.logIn("owner@beta.example")
		same(t, reason(t, refused(t, connect.CodeFailedPrecondition, foreign.members.SetJoinDomain, set)), "domain_not_own")
		same(t, reason(t, refused(t, connect.CodeFailedPrecondition, n.members.SetJoinDomain, set)), "domain_not_own")
		call(t, n.members.InviteMember, &adminv1.InviteMemberRequest{Email: "x@third.example", Role: viewer})
		refused(t, connect.CodeFailedPrecondition, first.members.SetJoinDomain, &adminv1.SetJoinDomainRequest{Domain: "third.example", Role: viewer})
	})
	t.Run("nobody_above_analyst", func(t *testing.T) {
		refused(t, connect.CodeInvalidArgument, first.members.SetJoinDomain, &adminv1.SetJoinDomainRequest{Domain: "alpha.example", Role: admin})
	})
	if in.logIn("early@alpha.example") != nil {
		t.Error("joined before the domain was let in")
	}
	domain := call(t, first.members.SetJoinDomain, set).JoinDomain
	same(t, domain.Domain, "alpha.example")
	same(t, call(t, first.members.SetJoinDomain, set).JoinDomain.Id, domain.Id)
	t.Run("one_organization_has_it", func(t *testing.T) {
		mole := in.invited(m, "mole@alpha.example", admin)
		same(t, reason(t, refused(t, connect.CodeAlreadyExists, mole.members.SetJoinDomain, set)), "domain_taken")
	})
	joined := in.logIn("joins@alpha.example")
	t.Run("who_has_an_address_joins", func(t *testing.T) {
		got := call(t, n.members.GetMember, &adminv1.GetMemberRequest{Id: joined.id}).Member
		same(t, got.Role, analyst)
		same(t, got.JoinDomainId, domain.Id)
		same(t, got.Email, "joins@alpha.example")
		same(t, in.logIn("joins@alpha.example").id, joined.id)
	})
	t.Run("others_do_not", func(t *testing.T) {
		for _, email := range []string{"x@sub.alpha.example", "x@alpha.example.evil.example", "x@notalpha.example"} {
			if in.logIn(email) != nil {
				t.Errorf("%s joined", email)
			}
		}
		unverified := authn.Person{Issuer: "https://idp", Subject: "u", Email: "u@alpha.example"}
		found, err := identity.NewMembers(in.db, in.runner).Memberships(t.Context(), unverified)
		if len(found) > 0 || err != nil {
			t.Errorf("unverified: %v, %v", found, err)
		}
	})
	t.Run("who_was_removed_stays_out", func(t *testing.T) {
		call(t, n.members.RemoveMember, &adminv1.RemoveMemberRequest{Id: joined.id})
		if in.logIn("joins@alpha.example") != nil {
			t.Error("came back")
		}
	})
	t.Run("at_once", func(t *testing.T) {
		var group sync.WaitGroup
		ids := make([]string, 4)
		for i := range ids {
			group.Go(func() { ids[i] = in.logIn("twice@alpha.example").id })
		}
		group.Wait()
		for _, id := range ids {
			same(t, id, ids[0])
		}
	})
	t.Run("changed_and_taken_away", func(t *testing.T) {
		changed := call(t, n.members.SetJoinDomain, &adminv1.SetJoinDomainRequest{Domain: "alpha.example", Role: viewer}).JoinDomain
		same(t, changed.Role, viewer)
		same(t, len(call(t, n.members.ListJoinDomains, &adminv1.ListJoinDomainsRequest{}).JoinDomains), 1)
		call(t, n.members.RemoveJoinDomain, &adminv1.RemoveJoinDomainRequest{Id: domain.Id})
		same(t, len(call(t, n.members.ListJoinDomains, &adminv1.ListJoinDomainsRequest{}).JoinDomains), 0)
		if in.logIn("late@alpha.example") != nil {
			t.Error("joined by a domain that was taken away")
		}
	})
}

func TestSessions(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	ada := in.invited(n, "ada@alpha.example", admin)
	second, third := in.logIn("ada@alpha.example"), in.logIn("ada@alpha.example")
	eve := in.invited(n, "eve@alpha.example", viewer)
	t.Run("own_are_listed", func(t *testing.T) {
		listed := call(t, ada.sessions.ListSessions, &adminv1.ListSessionsRequest{}).Sessions
		same(t, len(listed), 3)
		for _, s := range listed {
			same(t, s.Current, s.Id == ada.session)
			same(t, s.Address+" "+s.UserAgent, "192.0.2.7 Lynx")
			if s.CreatedAt == nil || s.LastSeenAt == nil || s.ExpiresAt == nil || s.IdleExpiresAt == nil {
				t.Errorf("times are missing: %v", s)
			}
		}
		same(t, len(call(t, n.sessions.ListSessions, &adminv1.ListSessionsRequest{}).Sessions), 0)
	})
	t.Run("those_of_others_are_not", func(t *testing.T) {
		refused(t, connect.CodeNotFound, eve.sessions.RevokeSession, &adminv1.RevokeSessionRequest{Id: ada.session})
		refused(t, connect.CodeNotFound, n.sessions.RevokeSession, &adminv1.RevokeSessionRequest{Id: ada.session})
		refused(t, connect.CodePermissionDenied, eve.members.ListMemberSessions, &adminv1.ListMemberSessionsRequest{MemberId: ada.id})
		refused(t, connect.CodePermissionDenied, eve.members.RevokeMemberSessions, &adminv1.RevokeMemberSessionsRequest{MemberId: ada.id})
		same(t, len(call(t, n.members.ListMemberSessions, &adminv1.ListMemberSessionsRequest{MemberId: ada.id}).Sessions), 3)
	})
	t.Run("one_ends", func(t *testing.T) {
		call(t, ada.sessions.RevokeSession, &adminv1.RevokeSessionRequest{Id: second.session})
		refused(t, connect.CodeUnauthenticated, second.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		refused(t, connect.CodeNotFound, ada.sessions.RevokeSession, &adminv1.RevokeSessionRequest{Id: second.session})
		call(t, third.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	})
	t.Run("all_but_this_end", func(t *testing.T) {
		same(t, call(t, ada.sessions.RevokeAllSessions, &adminv1.RevokeAllSessionsRequest{KeepCurrent: true}).Revoked, 1)
		refused(t, connect.CodeUnauthenticated, third.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		call(t, ada.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		call(t, eve.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	})
	t.Run("an_admin_ends_one_or_all_of_a_member", func(t *testing.T) {
		again := in.logIn("eve@alpha.example")
		refused(t, connect.CodeNotFound, ada.members.RevokeMemberSessions, &adminv1.RevokeMemberSessionsRequest{MemberId: eve.id, SessionId: ada.session})
		dry := &adminv1.Mutation{ValidateOnly: true}
		call(t, ada.members.RevokeMemberSessions, &adminv1.RevokeMemberSessionsRequest{MemberId: eve.id, Mutation: dry})
		call(t, eve.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		call(t, ada.members.RevokeMemberSessions, &adminv1.RevokeMemberSessionsRequest{MemberId: eve.id, SessionId: eve.session})
		refused(t, connect.CodeUnauthenticated, eve.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		call(t, again.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		call(t, ada.members.RevokeMemberSessions, &adminv1.RevokeMemberSessionsRequest{MemberId: eve.id})
		refused(t, connect.CodeUnauthenticated, again.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	})
	t.Run("all_end", func(t *testing.T) {
		same(t, call(t, ada.sessions.RevokeAllSessions, &adminv1.RevokeAllSessionsRequest{}).Revoked, 1)
		refused(t, connect.CodeUnauthenticated, ada.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
	})
}

func TestPersonOfSeveralOrganizations(t *testing.T) {
	in := install(t)
	members := identity.NewMembers(in.db, in.runner)
	for _, name := range []string{"beta", "alpha", "gamma"} {
		n := in.tenant(name)
		if name != "gamma" {
			call(t, n.members.InviteMember, &adminv1.InviteMemberRequest{Email: "ada@x.example", Role: viewer})
		}
	}
	ada := authn.Person{Issuer: "https://idp", Subject: "ada", Email: "ada@x.example", EmailVerified: true}
	for _, p := range []authn.Person{ada, {Issuer: ada.Issuer, Subject: ada.Subject}} {
		found, err := members.Memberships(t.Context(), p)
		if err != nil || len(found) != 2 || found[0].Organization != "alpha" || found[1].Organization != "beta" {
			t.Fatalf("%+v, %v", found, err)
		}
		me := call(t, in.enter(found[1].Principal).sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		same(t, me.OrganizationName, "beta")
	}
}

func roleOf(id string, role adminv1.Role) *adminv1.UpdateMemberRequest {
	return &adminv1.UpdateMemberRequest{
		Member: &adminv1.Member{Id: id, Role: role}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"role"}},
	}
}
