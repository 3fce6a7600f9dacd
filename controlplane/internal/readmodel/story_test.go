package readmodel_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/quota"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/savedreport"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
	"github.com/weirhq/weir/proto/contract/seal"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// story is an organization whose log has every kind of event.
type story struct {
	t                                            *testing.T
	log                                          *pglog.Log
	id                                           uuid.UUID
	head                                         int64
	project, provider, route, gateway            uuid.UUID
	livingKey, revokedKey, enrolmentToken, agent uuid.UUID
}

func tell(t *testing.T, db *postgres.DB, name string) *story {
	t.Helper()
	s := &story{t: t, log: pglog.New(db, projectAll), id: uuid.New()}
	for _, id := range []*uuid.UUID{&s.project, &s.provider, &s.route, &s.gateway, &s.livingKey, &s.revokedKey, &s.enrolmentToken, &s.agent} {
		*id = uuid.New()
	}
	now := time.Now()
	s.add(organization.Create(organization.Creation{ID: s.id, Name: name}))
	s.add(member.Add(uuid.New(), eventv1.Role_ROLE_OWNER, uuid.Nil))
	s.add(project.Create(project.Creation{ID: s.project, Settings: project.Settings{Name: "app"}}))
	s.add(provider.Create(provider.Creation{
		ID: s.provider, Settings: openAI,
	}))
	s.addRoute(s.route, "gpt")
	s.addKey(s.livingKey, "living", now)
	s.addKey(s.revokedKey, "revoked", now)
	s.add(key.Key{ID: s.revokedKey}.Revoke("leaked", now))
	s.add(gateway.Create(gateway.Creation{ID: s.gateway, Name: "prod", Region: "local"}))
	s.add(gateway.CreateToken(gateway.TokenCreation{
		ID: s.enrolmentToken, GatewayID: s.gateway, SHA256: random(), MaxUses: 2, Now: now, GatewayExists: true,
	}))
	s.addAgent(s.agent, now)
	lost := gateway.Agent{ID: uuid.New()}
	s.addAgent(lost.ID, now)
	s.add(lost.Rename("lost"))
	s.add(lost.Revoke("stolen", now), nil)
	s.addAccount(now)
	s.addMembers(name, now)
	s.add(rolebinding.Create(rolebinding.Creation{
		Binding: rolebinding.Binding{ID: uuid.New(), MemberID: uuid.New(), ProjectID: s.project, Role: eventv1.Role_ROLE_ADMIN},
		By:      eventv1.Role_ROLE_OWNER,
	}))
	return s
}

// addArchived is what was changed, archived and brought back.
func (s *story) addArchived() {
	s.t.Helper()
	old := project.Project{ID: uuid.New(), Settings: project.Settings{Name: "old"}, CreatedAt: time.Now()}
	s.add(project.Create(project.Creation{ID: old.ID, Settings: old.Settings}))
	s.add(old.Update(project.Settings{Name: "older"}, false))
	s.add(old.Archive(nil, nil))
	s.add(old.Restore(false))
	s.add(old.Archive(nil, nil))

	settings := openAI
	settings.Name = "old"
	upstream := provider.Provider{ID: uuid.New(), Settings: settings}
	s.add(provider.Create(provider.Creation{ID: upstream.ID, Settings: settings}))
	settings.Region = "eu"
	s.add(upstream.Update(provider.Change{Settings: settings}))
	s.addSealed(upstream, settings)
	s.add(upstream.Archive(nil))
	s.add(upstream.Restore(false))

	r := route.Route{ID: uuid.New(), Settings: s.routeSettings("old")}
	s.addRoute(r.ID, "old")
	s.add(r.Update(s.routeSettings("older"), s.world()))
	s.add(r.Archive(nil))
	s.add(r.Restore(s.world()))

	k := key.Key{ID: uuid.New()}
	s.addKey(k.ID, "old", time.Now())
	s.add(k.Update(key.Settings{Name: "older"}, key.World{}))
	s.add(k.Rotate(key.Secret{SHA256: random(), Suffix: "efgh"}, time.Hour, time.Now()))
	k.Previous = &key.Previous{ExpiresAt: time.Now().Add(time.Hour)}
	s.add(k.EndOverlap("leaked", time.Now()))
	s.add(k.Archive("gone", time.Now(), nil, nil))

	g := gateway.Gateway{ID: uuid.New(), Name: "old", Region: "local"}
	t := gateway.Token{ID: uuid.New()}
	s.add(gateway.Create(gateway.Creation{ID: g.ID, Name: g.Name, Region: g.Region}))
	s.add(gateway.CreateToken(gateway.TokenCreation{ID: t.ID, GatewayID: g.ID, SHA256: random(), Now: time.Now(), GatewayExists: true}))
	s.add(g.Update(gateway.Update{Name: "older", AllowedRegions: []string{"eu"}}))
	key := random()
	s.add(g.SetKey(key[:]))
	s.addRollouts(&g)
	s.add(g.Archive(nil, []gateway.Token{t}, rollout.Stage{}))
	s.add(g.Restore(false, false))

	o := organization.Organization{ID: s.id}
	s.add(o.Update(organization.Settings{Name: "old-" + s.id.String(), AllowedRegions: []string{"local"}}, nil, false))
	s.add(o.Suspend("unpaid"))
	s.add(organization.Organization{ID: s.id, SuspendedAt: time.Now()}.Resume(), nil)

	by := eventv1.Role_ROLE_OWNER
	a := serviceaccount.ServiceAccount{ID: uuid.New(), Name: "old", Role: eventv1.Role_ROLE_VIEWER}
	s.add(serviceaccount.Create(serviceaccount.Creation{ID: a.ID, Name: a.Name, Role: a.Role, By: by}))
	s.add(a.Update(serviceaccount.Creation{Name: "older", Role: eventv1.Role_ROLE_ADMIN, By: by}))
	s.add(a.Archive(nil, nil, by))

	b := rolebinding.Binding{ID: uuid.New(), MemberID: uuid.New(), ProjectID: s.project, Role: eventv1.Role_ROLE_VIEWER}
	s.add(rolebinding.Create(rolebinding.Creation{Binding: b, By: by}))
	s.add(rolebinding.Archive(b), nil)
	s.addSpend()
	s.add(organization.Organization{ID: s.id, SuspendedAt: time.Now()}.Archive())
}

// addRollouts stages the gateway: a rollout that is started anew, held and finished, one
// that is given up for a going back, and that undone.
func (s *story) addRollouts(g *gateway.Gateway) {
	s.t.Helper()
	s.add(g.SetRollout(rollout.Settings{Strategy: eventv1.RolloutStrategy_ROLLOUT_STRATEGY_CANARY}, rollout.Stage{}))
	agents := []string{uuid.NewString(), uuid.NewString()}
	begin := func(id uuid.UUID) eventlog.Change {
		return eventlog.Change{Subject: id, Body: &eventv1.RolloutStarted{GatewayId: g.ID.String(), BaseVersion: 1, CandidateVersion: 2, AgentIds: agents[:1]}}
	}
	id, given, back := uuid.New(), uuid.New(), uuid.New()
	s.add([]eventlog.Change{
		begin(id),
		{Subject: id, Body: &eventv1.RolloutAdvanced{Step: 1, Percent: 10, AgentIds: agents[1:]}},
		{Subject: id, Body: &eventv1.RolloutHeld{Cause: eventv1.RolloutHoldCause_ROLLOUT_HOLD_CAUSE_REJECTED, Reason: "r", AgentId: agents[1]}},
		{Subject: id, Body: &eventv1.RolloutResumed{}},
		{Subject: id, Body: &eventv1.RolloutRestarted{CandidateVersion: 3, AgentIds: agents[:1]}},
		{Subject: id, Body: &eventv1.RolloutFinished{}},
		begin(given),
		{Subject: given, Body: &eventv1.RolloutAbandoned{Reason: "r"}},
		{Subject: back, Body: &eventv1.GatewayWentBack{GatewayId: g.ID.String(), Version: 1, Reason: "r"}},
		{Subject: back, Body: &eventv1.GatewayWentForward{}},
	}, nil)
}

// addSpend is prices, saved queries and webhooks.
func (s *story) addSpend() {
	s.t.Helper()
	rate := int64(1_250_000)
	price := priceoverride.PriceOverride{ID: uuid.New(), Settings: priceoverride.Settings{
		PriceList: "own", Model: "m", Rates: priceoverride.Rates{Input: &rate},
	}}
	s.add(priceoverride.Create(priceoverride.Creation{ID: price.ID, Settings: price.Settings}))
	free := new(int64)
	s.add(price.Update(priceoverride.Settings{Rates: priceoverride.Rates{Input: free}}))
	s.add(price.Archive(), nil)
	s.add(price.Restore(false, 0))

	report := savedreport.SavedReport{ID: uuid.New(), Settings: savedreport.Settings{Name: "old", SQL: "SELECT 1"}}
	s.add(savedreport.Create(savedreport.Creation{ID: report.ID, Settings: report.Settings}))
	s.add(report.Update(savedreport.Settings{Name: "older", SQL: "SELECT 2"}, false))
	s.add(report.Archive(), nil)
	s.add(report.Restore(false))

	channel := alertchannel.AlertChannel{ID: uuid.New(), Settings: alertchannel.Settings{Name: "old", URL: "https://hooks.example"}}
	s.add(alertchannel.Create(channel.ID, channel.Settings, alertchannel.World{}))
	s.add(channel.Update(alertchannel.Settings{Name: "older", URL: channel.URL}, alertchannel.World{}))
	s.add(channel.SetSecret(), nil)
	s.add(channel.Archive(nil))
	s.add(channel.Restore(alertchannel.World{}))
	s.addQuotas()
}

// addQuotas is limits and budgets, those of a key that ends among them.
func (s *story) addQuotas() {
	s.t.Helper()
	k := key.Key{ID: uuid.New()}
	s.addKey(k.ID, "held", time.Now())
	world := quota.World{Target: quota.Target{Exists: true, ProjectID: s.project}}
	onKey := quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_KEY, ID: k.ID}
	l := limit.Limit{ID: uuid.New(), Settings: limit.Settings{
		Name: "old", Scope: onKey, Metric: eventv1.LimitMetric_LIMIT_METRIC_REQUESTS, Amount: 1, Window: eventv1.LimitWindow_LIMIT_WINDOW_DAY,
		Mode: eventv1.QuotaMode_QUOTA_MODE_OFF, WhenUnreachable: eventv1.WhenUnreachable_WHEN_UNREACHABLE_ALLOW,
	}}
	s.add(limit.Create(l.ID, l.Settings, world))
	more := l.Settings
	more.Amount = 2
	s.add(l.Update(more, false))
	s.add(limit.Archive(l), nil)
	s.add(l.Restore(world))

	b := budget.Budget{ID: uuid.New(), Settings: budget.Settings{
		Name: "old", Scope: onKey, AmountNanoUSD: 1, Window: quota.Window{Lifetime: true}, Mode: eventv1.QuotaMode_QUOTA_MODE_OFF,
	}}
	s.add(budget.Create(b.ID, b.Settings, budget.World{World: world}))
	richer := b.Settings
	richer.AmountNanoUSD = 2
	s.add(b.Update(richer, budget.World{}))
	s.add(b.Raise(budget.Raise{AmountNanoUSD: 1, ExpiresAt: time.Now().Add(time.Hour)}, time.Now()))
	s.add(budget.Archive(b), nil)
	s.add(b.Restore(budget.World{World: world}))
	s.add(k.Archive("gone", time.Now(), []limit.Limit{l}, []budget.Budget{b}))
}

var openAI = provider.Settings{
	Name: "openai", Dialect: eventv1.Dialect_DIALECT_OPENAI, BaseURL: "https://api.openai.com/v1", CredentialRef: "env://KEY",
}

// addSealed gives the provider a sealed credential in the place of its reference.
func (s *story) addSealed(p provider.Provider, settings provider.Settings) {
	s.t.Helper()
	key, err := seal.GenerateKey()
	if err != nil {
		s.t.Fatal(err)
	}
	sealed, err := seal.Seal(key.Public(), seal.Binding{
		OrganizationID: s.id.String(), GatewayID: s.gateway.String(), ProviderID: p.ID.String(), Origin: "https://api.openai.com", Version: 1,
	}, []byte("credential"))
	if err != nil {
		s.t.Fatal(err)
	}
	settings.CredentialRef, settings.Sealed = "", []provider.Sealed{{GatewayID: s.gateway, Version: 1, Bytes: sealed}}
	s.add(p.Update(provider.Change{
		Settings: settings, Gateways: map[uuid.UUID]gateway.Gateway{s.gateway: {ID: s.gateway, PublicKey: key.Public().Bytes()}},
	}))
}

func (s *story) addRoute(id uuid.UUID, name string) {
	s.t.Helper()
	s.add(route.Create(id, s.routeSettings(name), s.world()))
}

func (s *story) routeSettings(name string) route.Settings {
	return route.Settings{Name: name, Targets: []route.Target{{ProviderID: s.provider, Model: "gpt-5"}}}
}

func (s *story) world() route.World {
	return route.World{Providers: map[uuid.UUID]provider.Provider{s.provider: {ID: s.provider, Settings: openAI}}}
}

func (s *story) addKey(id uuid.UUID, name string, now time.Time) {
	s.t.Helper()
	s.add(key.Create(key.Creation{
		ID: id, ProjectID: s.project, Secret: key.Secret{SHA256: random(), Suffix: "abcd"},
		Settings: key.Settings{Name: name, RouteIDs: []uuid.UUID{s.route}, ExpiresAt: now.Add(time.Hour)},
	}, key.World{Now: now, ProjectExists: true, Routes: map[uuid.UUID]bool{s.route: true}}))
}

func (s *story) addAgent(id uuid.UUID, now time.Time) {
	s.t.Helper()
	public := random()
	token := gateway.Token{ID: s.enrolmentToken, GatewayID: s.gateway, MaxUses: 2, ExpiresAt: now.Add(time.Hour)}
	s.add(token.Enrol(gateway.Enrolment{AgentID: id, PublicKey: public[:], Name: "host", Now: now}))
}

// addMembers invites somebody who joins and goes through everything, and lets a domain join.
func (s *story) addMembers(name string, now time.Time) {
	s.t.Helper()
	by, guest := eventv1.Role_ROLE_OWNER, member.Member{ID: uuid.New(), Role: eventv1.Role_ROLE_VIEWER}
	s.add(member.Invite(member.Invitation{ID: guest.ID, Role: guest.Role, By: by, Now: now}))
	s.add(member.Member{ID: guest.ID, InvitationExpiresAt: now.Add(time.Hour)}.Join(now), nil)
	s.add(guest.ChangeRole(eventv1.Role_ROLE_ADMIN, by, false))
	s.add(guest.RevokeSessions(uuid.Nil, by))
	s.add(guest.Erase(by, false, nil))
	domain := member.Domain{ID: uuid.New(), Name: name + ".example", Role: eventv1.Role_ROLE_VIEWER}
	s.add(member.SetDomain(member.DomainSetting{ID: domain.ID, Name: domain.Name, Role: domain.Role, By: by, Claimable: true}))
	s.add(member.SetDomain(member.DomainSetting{Role: eventv1.Role_ROLE_ANALYST, By: by, Known: &domain}))
	s.add(domain.Remove(), nil)
}

func (s *story) addAccount(now time.Time) {
	s.t.Helper()
	account := serviceaccount.ServiceAccount{ID: uuid.New(), Role: eventv1.Role_ROLE_VIEWER}
	token := serviceaccount.Token{ID: uuid.New(), ServiceAccountID: account.ID}
	by := eventv1.Role_ROLE_OWNER
	s.add(serviceaccount.Create(serviceaccount.Creation{ID: account.ID, Name: "ci", Role: account.Role, By: by}))
	s.add(account.CreateToken(serviceaccount.TokenCreation{ID: token.ID, Name: "first", SHA256: random(), Suffix: "wxyz", Now: now, By: by}))
	s.add(account.RevokeToken(token, "rotated", by))
}

func (s *story) add(changes []eventlog.Change, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	recorded, err := s.log.Append(s.t.Context(), eventlog.Append{OrganizationID: s.id, Head: s.head, Changes: changes, Actor: "operator"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.head += int64(len(recorded))
}

func random() [32]byte {
	a, b := uuid.New(), uuid.New()
	return [32]byte(append(a[:], b[:]...))
}
