package provider

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/slug"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// openAIPriceList prices the dialect openai where nothing else is said.
const openAIPriceList = "openai"

var credentialForm = regexp.MustCompile(`^(env://[A-Za-z_][A-Za-z0-9_]*|file:///[^\x00]+)$`)

// Creation is what Create needs.
type Creation struct {
	ID            uuid.UUID
	Name          string
	Dialect       eventv1.Dialect
	BaseURL       string
	CredentialRef string
	Region        string
	PriceList     string
	// NameTaken: a provider of the organization has the name.
	NameTaken bool
}

// Create begins an upstream account.
func Create(c Creation) ([]eventlog.Change, error) {
	if err := slug.Check("name", c.Name); err != nil {
		return nil, err
	}
	if _, known := eventv1.Dialect_name[int32(c.Dialect)]; !known || c.Dialect == eventv1.Dialect_DIALECT_UNSPECIFIED {
		return nil, fault.Field("dialect", "want openai or openai-compatible")
	}
	base, err := parseBaseURL(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if !credentialForm.MatchString(c.CredentialRef) {
		return nil, fault.Field("credential_ref", "want env://NAME or file:///path")
	}
	if c.NameTaken {
		return nil, fault.Because(fault.Conflict, "name_taken", "a provider named %q exists", c.Name)
	}
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.ProviderCreated{
		Name: c.Name, Dialect: c.Dialect, BaseUrl: base, CredentialRef: c.CredentialRef,
		Region: c.Region, PriceList: priceList(c),
	}}}, nil
}

func priceList(c Creation) string {
	if c.PriceList == "" && c.Dialect == eventv1.Dialect_DIALECT_OPENAI {
		return openAIPriceList
	}
	return c.PriceList
}

// parseBaseURL accepts an origin with an optional path and nothing else, and
// returns it in one form: lower-case scheme and host, no trailing slash.
func parseBaseURL(text string) (string, error) {
	refuse := func(why string) (string, error) { return "", fault.Field("base_url", "%s", why) }
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return refuse("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("want http:// or https://")
	case u.Hostname() == "":
		return refuse("it names no host")
	case u.User != nil:
		return refuse("it must not carry credentials; they belong in credential_ref")
	case u.RawQuery != "" || u.ForceQuery:
		return refuse("it must not have a query")
	case strings.Contains(text, "#"):
		return refuse("it must not have a fragment")
	case !validPort(u):
		return refuse("the port must be 1 to 65535")
	case strings.ContainsAny(u.Path, "\\") || strings.Contains(u.Path+"/", "/../") || strings.Contains(u.Path+"/", "/./"):
		return refuse("its path must be plain: no backslash, no dot segments")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + strings.TrimRight(u.EscapedPath(), "/"), nil
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port >= 1 && port <= 65535
}

// Apply folds one event into the state.
func Apply(p Provider, e eventlog.Event) (Provider, error) {
	switch body := e.Body.(type) {
	case *eventv1.ProviderCreated:
		p = Provider{
			ID: e.Subject, Name: body.GetName(), Dialect: body.GetDialect(), BaseURL: body.GetBaseUrl(),
			CredentialRef: body.GetCredentialRef(), Region: body.GetRegion(), PriceList: body.GetPriceList(),
			CreatedAt: e.RecordedAt,
		}
	default:
		return p, fmt.Errorf("fold provider: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	p.Version = e.Version
	return p, nil
}
