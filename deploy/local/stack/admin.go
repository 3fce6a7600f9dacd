package stack

import (
	"context"
	"fmt"
	"net/http"

	"connectrpc.com/connect"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

const operatorToken = "the-operator-of-a-stack-on-loopback"

// Found makes an organization; the token is of a service account that owns it.
func (s *Stack) Found(ctx context.Context, name string) (organization, token string, err error) {
	operator := adminv1connect.NewOrganizationServiceClient(http.DefaultClient, s.URL, Bearer(operatorToken))
	founded, err := operator.CreateOrganization(ctx, connect.NewRequest(&adminv1.CreateOrganizationRequest{Name: name, OwnerEmail: "owner@" + name + ".example"}))
	if err != nil {
		return "", "", fmt.Errorf("found organization %s: %w", name, err)
	}
	return founded.Msg.GetOrganization().GetId(), founded.Msg.GetServiceAccountToken(), nil
}

// Bearer has a client of the admin API call with a token.
func Bearer(token string) connect.ClientOption {
	return connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
			request.Header().Set("Authorization", "Bearer "+token)
			return next(ctx, request)
		}
	}))
}
