package demo

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

const (
	reportsTimeout = time.Minute
	reportsEvery   = 100 * time.Millisecond
)

// setup carries what one step finds to the next.
type setup struct {
	config      Config
	demo        Demo
	projectID   string
	providerIDs map[string]string // by name
}

func (s *setup) organization(ctx context.Context) error {
	if s.demo.Token != "" {
		return s.checkToken(ctx)
	}
	operator := s.clients(s.config.OperatorToken)
	request := &adminv1.CreateOrganizationRequest{
		Name:        organizationName,
		DisplayName: "Demo",
		OwnerEmail:  OwnerEmail,
	}
	answer, err := operator.organizations.CreateOrganization(ctx, connect.NewRequest(request))
	if connect.CodeOf(err) == connect.CodeAlreadyExists {
		return fmt.Errorf("organization %q exists, and %s does not hold its token: "+
			"bring that file back, or start with an empty database", organizationName, s.config.StateFile)
	}
	if err != nil {
		return err
	}
	s.demo.OrganizationID = answer.Msg.GetOrganization().GetId()
	s.demo.Token = answer.Msg.GetServiceAccountToken()
	return nil
}

func (s *setup) checkToken(ctx context.Context) error {
	_, err := s.clients(s.demo.Token).sessions.WhoAmI(ctx, connect.NewRequest(&adminv1.WhoAmIRequest{}))
	if connect.CodeOf(err) == connect.CodeUnauthenticated {
		return fmt.Errorf("the token in %s is not valid in this database: "+
			"is it another database than last time? `make clean-local` starts afresh", s.config.StateFile)
	}
	return err
}

func (s *setup) project(ctx context.Context) error {
	projects := s.clients(s.demo.Token).projects
	listed, err := projects.ListProjects(ctx, connect.NewRequest(&adminv1.ListProjectsRequest{}))
	if err != nil {
		return err
	}
	for _, p := range listed.Msg.GetProjects() {
		if p.GetName() == projectName {
			s.projectID = p.GetId()
			return nil
		}
	}
	created, err := projects.CreateProject(ctx, connect.NewRequest(&adminv1.CreateProjectRequest{
		Name:        projectName,
		DisplayName: "Demo",
	}))
	if err != nil {
		return err
	}
	s.projectID = created.Msg.GetProject().GetId()
	return nil
}

func (s *setup) providers(ctx context.Context) error {
	providers := s.clients(s.demo.Token).providers
	listed, err := providers.ListProviders(ctx, connect.NewRequest(&adminv1.ListProvidersRequest{}))
	if err != nil {
		return err
	}
	there := map[string]*adminv1.Provider{}
	for _, p := range listed.Msg.GetProviders() {
		there[p.GetName()] = p
	}
	s.providerIDs = map[string]string{}
	for _, u := range upstreams {
		if s.providerIDs[u.provider], err = s.provider(ctx, providers, there[u.provider], u); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) provider(ctx context.Context, providers adminv1connect.ProviderServiceClient, there *adminv1.Provider, u upstream) (id string, err error) {
	base := s.config.MockURL + u.path
	if there != nil && there.GetBaseUrl() != base {
		return "", fmt.Errorf("the data of this run expects the mock LLM at %s, not %s: "+
			"start with the ports of last time, or `make clean-local` first", there.GetBaseUrl(), base)
	}
	if there != nil {
		return there.GetId(), nil
	}
	created, err := providers.CreateProvider(ctx, connect.NewRequest(&adminv1.CreateProviderRequest{
		Name:          u.provider,
		Dialect:       u.dialect,
		BaseUrl:       base,
		CredentialRef: CredentialRef,
		Region:        region,
		PriceList:     u.priceList,
	}))
	if err != nil {
		return "", err
	}
	return created.Msg.GetProvider().GetId(), nil
}

func (s *setup) routes(ctx context.Context) error {
	routes := s.clients(s.demo.Token).routes
	for _, u := range upstreams {
		_, err := routes.CreateRoute(ctx, connect.NewRequest(&adminv1.CreateRouteRequest{
			Name:     u.route,
			Strategy: adminv1.Strategy_STRATEGY_SINGLE,
			Targets:  []*adminv1.Target{{ProviderId: s.providerIDs[u.provider], Model: u.model}},
		}))
		if err != nil && connect.CodeOf(err) != connect.CodeAlreadyExists {
			return err
		}
	}
	return nil
}

func (s *setup) key(ctx context.Context) error {
	keys := s.clients(s.demo.Token).keys
	if s.demo.KeyID != "" {
		found, err := keys.GetKey(ctx, connect.NewRequest(&adminv1.GetKeyRequest{Id: s.demo.KeyID}))
		if err != nil {
			return err
		}
		if found.Msg.GetKey().GetRevokedAt() == nil {
			return nil
		}
	}
	created, err := keys.CreateKey(ctx, connect.NewRequest(&adminv1.CreateKeyRequest{
		Name:      keyName,
		ProjectId: s.projectID,
	}))
	if err != nil {
		return err
	}
	s.demo.KeyID, s.demo.Key = created.Msg.GetKey().GetId(), created.Msg.GetSecret()
	return nil
}

func (s *setup) gateway(ctx context.Context) error {
	gateways := s.clients(s.demo.Token).gateways
	id, err := s.gatewayID(ctx, gateways)
	if err != nil || !s.config.NeedEnrolment {
		return err
	}
	created, err := gateways.CreateEnrolmentToken(ctx, connect.NewRequest(&adminv1.CreateEnrolmentTokenRequest{
		GatewayId: id,
	}))
	if err != nil {
		return err
	}
	s.demo.EnrolmentToken = created.Msg.GetToken()
	return nil
}

func (s *setup) gatewayID(ctx context.Context, gateways adminv1connect.GatewayServiceClient) (string, error) {
	listed, err := gateways.ListGateways(ctx, connect.NewRequest(&adminv1.ListGatewaysRequest{}))
	if err != nil {
		return "", err
	}
	for _, g := range listed.Msg.GetGateways() {
		if g.GetName() == gatewayName {
			return g.GetId(), nil
		}
	}
	created, err := gateways.CreateGateway(ctx, connect.NewRequest(&adminv1.CreateGatewayRequest{
		Name:   gatewayName,
		Region: region,
	}))
	if err != nil {
		return "", err
	}
	return created.Msg.GetGateway().GetId(), nil
}

// reports waits until usage can be asked for: the control plane serves before it
// has made the views.
func (s *setup) reports(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reportsTimeout)
	defer cancel()
	reports := s.clients(s.demo.Token).reports
	query := &adminv1.RunQueryRequest{Sql: "SELECT * FROM completeness LIMIT 0"}
	for {
		_, err := reports.RunQuery(ctx, connect.NewRequest(query))
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready within %v: %w", reportsTimeout, err)
		case <-time.After(reportsEvery):
		}
	}
}
