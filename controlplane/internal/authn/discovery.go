package authn

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	providerTimeout = 10 * time.Second
	// rediscoverAfter is how long a description counts; what is older still does while the provider is away.
	rediscoverAfter = time.Hour
	// rediscoverPause is how long an old description is not asked for again after a failure.
	rediscoverPause = time.Minute
)

// discovery finds the provider when it is first needed, and again until it answers, so that the control plane starts
// without it.
type discovery struct {
	issuer   string
	client   *http.Client
	now      func() time.Time
	turn     turn
	found    *relyingOn
	askAt    time.Time // when found is old
	failed   error
	failedAt time.Time
}

// relyingOn is a provider as it described itself.
type relyingOn struct {
	*oidc.Provider
	endpoint   oauth2.Endpoint
	keys       *keySet
	endSession string // empty if it has none
	// namesItself: every answer of its authorization endpoint has the parameter iss (RFC 9207).
	namesItself bool
}

func newDiscovery(issuer string, client *http.Client, now func() time.Time) *discovery {
	return &discovery{issuer: issuer, client: client, now: now, turn: newTurn()}
}

func (d *discovery) provider(ctx context.Context) (*relyingOn, error) {
	leave, err := d.turn.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	now := d.now()
	switch {
	case d.found != nil && now.Before(d.askAt):
		return d.found, nil
	case d.found == nil && d.failed != nil && now.Sub(d.failedAt) < retryAfter:
		return nil, d.failed
	}
	found, err := d.ask(ctx)
	switch {
	case err == nil:
		d.found, d.failed, d.askAt = found, nil, now.Add(rediscoverAfter)
	case d.found != nil:
		d.askAt = now.Add(rediscoverPause)
	default:
		d.failed, d.failedAt = err, now
		return nil, err
	}
	return d.found, nil
}

// description is what go-oidc does not read.
type description struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	UserInfo      string   `json:"userinfo_endpoint"`
	Keys          string   `json:"jwks_uri"`
	EndSession    string   `json:"end_session_endpoint"`
	Methods       []string `json:"token_endpoint_auth_methods_supported"`
	NamesItself   bool     `json:"authorization_response_iss_parameter_supported"`
}

func (d *discovery) ask(ctx context.Context) (*relyingOn, error) {
	ctx, cancel := context.WithTimeout(d.context(context.WithoutCancel(ctx)), providerTimeout)
	defer cancel()
	provider, err := oidc.NewProvider(ctx, d.issuer)
	if err != nil {
		return nil, fmt.Errorf("discover the OIDC provider %s: %w", d.issuer, err)
	}
	var more description
	if err := provider.Claims(&more); err != nil {
		return nil, fmt.Errorf("read the OIDC provider's description: %w", err)
	}
	endpoint := provider.Endpoint()
	if endpoint.AuthStyle, err = more.check(); err != nil {
		return nil, fmt.Errorf("the OIDC provider %s describes itself wrongly: %w", d.issuer, err)
	}
	return &relyingOn{
		Provider: provider, endpoint: endpoint, endSession: more.EndSession, namesItself: more.NamesItself,
		keys: newKeySet(more.Keys, d.client, d.now),
	}, nil
}

// check tells how the token endpoint wants our secret: known beforehand, a code is not sent a second time to find out.
func (m description) check() (oauth2.AuthStyle, error) {
	var faults []error
	for name, address := range map[string]string{
		"authorization_endpoint": m.Authorization, "token_endpoint": m.Token, "jwks_uri": m.Keys,
		"userinfo_endpoint": m.UserInfo, "end_session_endpoint": m.EndSession,
	} {
		leftOut := address == "" && (name == "userinfo_endpoint" || name == "end_session_endpoint")
		if !leftOut && !asSafeAs(m.Issuer, address) {
			faults = append(faults, fmt.Errorf("%s %q must be a URL, and https if the issuer is", name, address))
		}
	}
	switch {
	case len(m.Methods) == 0 || slices.Contains(m.Methods, "client_secret_basic"):
		return oauth2.AuthStyleInHeader, errors.Join(faults...)
	case slices.Contains(m.Methods, "client_secret_post"):
		return oauth2.AuthStyleInParams, errors.Join(faults...)
	}
	faults = append(faults, errors.New("its token endpoint takes no client secret (client_secret_basic, client_secret_post)"))
	return oauth2.AuthStyleAutoDetect, errors.Join(faults...)
}

func asSafeAs(issuer, address string) bool {
	from, err := url.Parse(issuer)
	to, err2 := url.Parse(address)
	return err == nil && err2 == nil && to.Host != "" && (to.Scheme == "https" || (to.Scheme == "http" && from.Scheme == "http"))
}

// context makes calls of go-oidc and oauth2 use our client.
func (d *discovery) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, d.client)
}
