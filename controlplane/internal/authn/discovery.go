package authn

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	providerTimeout = 10 * time.Second
	// rediscoverAfter is how long a failed discovery answers for the next ones.
	rediscoverAfter = time.Second
)

// discovery finds the provider when it is first needed, and again until it answers, so that the control plane starts
// without it.
type discovery struct {
	issuer   string
	client   *http.Client
	now      func() time.Time
	turn     chan struct{} // holds one token: whose turn it is to ask
	found    *relyingOn
	failed   error
	failedAt time.Time
}

// relyingOn is a provider as it described itself.
type relyingOn struct {
	*oidc.Provider
	endpoint   oauth2.Endpoint
	endSession string // empty if it has none
}

func newDiscovery(issuer string, client *http.Client, now func() time.Time) *discovery {
	return &discovery{issuer: issuer, client: client, now: now, turn: make(chan struct{}, 1)}
}

func (d *discovery) provider(ctx context.Context) (*relyingOn, error) {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d.found != nil {
		return d.found, nil
	}
	if d.failed != nil && d.now().Sub(d.failedAt) < rediscoverAfter {
		return nil, d.failed
	}
	d.found, d.failed = d.ask(ctx)
	d.failedAt = d.now()
	return d.found, d.failed
}

func (d *discovery) ask(ctx context.Context) (*relyingOn, error) {
	ctx, cancel := context.WithTimeout(d.context(context.WithoutCancel(ctx)), providerTimeout)
	defer cancel()
	provider, err := oidc.NewProvider(ctx, d.issuer)
	if err != nil {
		return nil, fmt.Errorf("discover the OIDC provider %s: %w", d.issuer, err)
	}
	var more struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, fmt.Errorf("read the OIDC provider's description: %w", err)
	}
	return &relyingOn{Provider: provider, endpoint: provider.Endpoint(), endSession: more.EndSession}, nil
}

// context makes calls of go-oidc and oauth2 use our client.
func (d *discovery) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, d.client)
}
