// Package snapshot owns the compiled policy that requests run under: immutable,
// whole, swapped by one pointer. Everything a request needs is found by a map
// look-up; whatever can be parsed or joined before is. It verifies no signatures
// (control does) and does no I/O.
package snapshot

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"
	"unique"

	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/proto/contract/condition"
	"github.com/weirhq/weir/proto/contract/price"
	"github.com/weirhq/weir/proto/contract/seal"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// DefaultMaxRequestBytes bounds a request body where the policy states none.
const DefaultMaxRequestBytes = 20 << 20

// Policy is one compiled release with one set of revocations. It never changes.
type Policy struct {
	content     *content
	revocations revocations
}

// content is the part that revocations don't touch; policies share it.
type content struct {
	organizationID   string
	gatewayID        string
	region           string
	epoch, version   int64
	compiledAt       time.Time
	versionHeader    []string
	maxRequestBytes  int64
	keys             map[[32]byte]*Key
	providers        map[string]*Provider // by id
	lists            map[*Provider]string // their price lists
	routes           map[string]*Route
	routeList        []*Route // by name
	book             *price.Book
	bookVersion      string
	bookBody         []byte // as it came; nil: there is none
	sealed           []Sealed
	providerList     []*Provider // by id
	credentialAge    time.Duration
	servesUnrecorded bool
	usage            *redact.Rules
	quotas           quotas
	unpriced         policyv1.Unpriced
	standIn          *price.Model
}

// Key is a virtual key.
type Key struct {
	ID, ProjectID string
	// Weights of what the project gets of a provider's account, and the key of that; 1 to 100.
	ProjectWeight, Weight int64
	Priority              policyv1.Priority // NORMAL where nothing is said
	expiresAt             time.Time
	// rotatedAt is when a secret that was replaced stops to open the key; zero:
	// the secret is the key's present one.
	rotatedAt time.Time
	revoked   bool
	routes    map[*Route]bool // nil: every route
	labels    map[string]string
	quotas    []*quota.Quota // its project's, too
}

// Sees tells whether there is the route for the key's project.
func (k *Key) Sees(r *Route) bool { return r.projects == nil || r.projects[k.ProjectID] }

// May tells whether the key may use a route.
func (k *Key) May(r *Route) bool { return k.Sees(r) && (k.routes == nil || k.routes[r]) }

// Route is what an application writes in `model`.
type Route struct {
	ID, Name string
	// Header is Name as a header value; it is shared and must not be changed.
	Header []string
	// Strategy by which one of Targets is chosen.
	Strategy policyv1.Strategy
	Targets  []*Target
	Retry    Retry
	// Sticky is nil with other strategies.
	Sticky *Sticky
	// Hedge, Canary and Shadow are nil where the route has none.
	Hedge          *Hedge
	Canary, Shadow *Share
	projects       map[string]bool // nil: every project
	quotas         []*quota.Quota
	// Unserved is why this gateway does not serve the route, for callers; it has no targets
	// then. Empty: it does.
	Unserved string
	// Strict: what a target's dialect can't carry is not sent to it.
	Strict bool
}

// Upstream names a model of a provider, the same across routes and policies.
type Upstream struct{ ProviderID, Model string }

// Target is one upstream model of a provider.
type Target struct {
	Provider *Provider
	Model    string
	// Upstream is what is learned of the target by: it is found in a map without an
	// allocation.
	Upstream unique.Handle[Upstream]
	// ModelJSON is Model as a JSON string, quotes included.
	ModelJSON []byte
	// Weight is 0 where the route's strategy is not WEIGHTED.
	Weight int64
	// When it is a candidate; nil: always.
	When *condition.Condition
	// Header is "provider/model" as a header value; it is shared and must not be
	// changed.
	Header   []string
	Timeouts Timeouts
	// Price is what the price book has for the model; nil: nothing.
	Price *price.Model
	urls  *URLs
}

// URL is where the target is asked for an endpoint; nil: it has none of it. It is shared
// and must not be changed.
func (t *Target) URL(endpoint Endpoint) *url.URL { return t.urls[endpoint] }

// Provider is an upstream account.
type Provider struct {
	ID, Name      string
	Dialect       policyv1.Dialect
	CredentialRef string
	// Sealed is the credential itself, in place of CredentialRef; nil: it is not sealed.
	// Neither: the provider has none.
	Sealed *Sealed
	// Host of its base URL, and the Region that the policy states; empty: none.
	Host, Region string
	// Models is where it lists its models; nil: nowhere below its base URL. It is shared
	// and must not be changed.
	Models *url.URL
	// urls are of a provider whose paths do not name the model; named finds those of one
	// whose paths do.
	urls  *URLs
	named func(model string) *URLs
	// Headers go with every request, in place of the caller's. Shared as well.
	Headers http.Header
	// Blocked says why this agent's own configuration forbids the provider;
	// empty: it does not.
	Blocked string
	// Timeouts where a route says nothing.
	Timeouts Timeouts
	Queue    Queue
	quotas   []*quota.Quota
}

// URL is where the provider is asked for an endpoint and a model; nil: it has none of it.
func (p *Provider) URL(endpoint Endpoint, model string) *url.URL {
	if p.named != nil {
		return p.named(model)[endpoint]
	}
	return p.urls[endpoint]
}

// Sealed is a credential that a key of the gateway opens, for what it was sealed for
// and nothing else. Equal ones open alike.
type Sealed struct {
	Binding seal.Binding
	// Bytes as contract/seal makes them.
	Bytes string
}

// Timeouts bound one request to an upstream. 0: the agent's own.
type Timeouts struct {
	// Connect until there is a connection, TLS included.
	Connect time.Duration
	// FirstToken until the first content of a stream, or the whole of what is none.
	FirstToken time.Duration
	// FirstByte until the upstream's status line.
	FirstByte time.Duration
	// Idle between two pieces of an answer's body.
	Idle time.Duration
	// Total until the answer's last byte.
	Total time.Duration
}

// or takes from another what is not said here.
func (t Timeouts) or(other Timeouts) Timeouts {
	return Timeouts{
		Connect:    cmp.Or(t.Connect, other.Connect),
		FirstToken: cmp.Or(t.FirstToken, other.FirstToken),
		FirstByte:  cmp.Or(t.FirstByte, other.FirstByte),
		Idle:       cmp.Or(t.Idle, other.Idle),
		Total:      cmp.Or(t.Total, other.Total),
	}
}

// Standing is what the policy says about a key text.
type Standing int

const (
	// Unknown: no such key in this policy.
	Unknown Standing = iota
	// Revoked: the key was known once.
	Revoked
	// Expired: its time is over.
	Expired
	// Rotated: the key has a new secret, and the time of this one is over or was ended.
	Rotated
	// Good: it may call.
	Good
)

// Key finds a key by the SHA-256 of its text. The key is nil when Unknown; a
// Revoked one has no project where only the set of revocations names it.
func (p *Policy) Key(sha256 [32]byte, now time.Time) (*Key, Standing) {
	return p.standing(sha256, p.content.keys[sha256], now)
}

// KeyByID finds a key with its present secret, as Key would. It looks at every key: it
// is for diagnoses.
func (p *Policy) KeyByID(id string, now time.Time) (*Key, Standing) {
	for sha256, key := range p.content.keys {
		if key.ID == id && key.rotatedAt.IsZero() {
			return p.standing(sha256, key, now)
		}
	}
	if p.revocations.ids[id] {
		return &Key{ID: id, revoked: true}, Revoked
	}
	return nil, Unknown
}

func (p *Policy) standing(sha256 [32]byte, key *Key, now time.Time) (*Key, Standing) {
	switch {
	case p.revocations.has(sha256, key):
		return cmp.Or(key, p.revocations.hashes[sha256]), Revoked
	case key == nil:
		return nil, Unknown
	case !key.expiresAt.IsZero() && !now.Before(key.expiresAt):
		return key, Expired
	case p.revocations.secrets[sha256], !key.rotatedAt.IsZero() && !now.Before(key.rotatedAt):
		return key, Rotated
	}
	return key, Good
}

// Provider finds a provider by its id; nil: there is none.
func (p *Policy) Provider(id string) *Provider { return p.content.providers[id] }

// Route finds a route by name; nil: there is none.
func (p *Policy) Route(name string) *Route { return p.content.routes[name] }

// Routes lists all routes by name; the slice is shared and must not be changed.
func (p *Policy) Routes() []*Route { return p.content.routeList }

// Sealed are the credentials that the policy carries; the slice is shared and must
// not be changed.
func (p *Policy) Sealed() []Sealed { return p.content.sealed }

// Providers lists all providers by id; the slice is shared and must not be changed.
func (p *Policy) Providers() []*Provider { return p.content.providerList }

// References are the credential references that this agent's own configuration allows
// their providers, each once.
func (p *Policy) References() []string {
	var references []string
	for _, provider := range p.content.providerList {
		if provider.CredentialRef != "" && provider.Blocked == "" {
			references = append(references, provider.CredentialRef)
		}
	}
	slices.Sort(references)
	return slices.Compact(references)
}

// ServesUnrecorded tells whether requests are served that find no room in the spool.
func (p *Policy) ServesUnrecorded() bool { return p.content.servesUnrecorded }

// CredentialMaxAge is how long a credential is used whose reference can't be read any
// more; 0: for ever.
func (p *Policy) CredentialMaxAge() time.Duration { return p.content.credentialAge }

// BlocksUnpriced tells whether targets without a known price are passed over.
func (p *Policy) BlocksUnpriced() bool {
	return p.content.unpriced == policyv1.Unpriced_UNPRICED_BLOCK
}

// StandIn is what attempts without a known price are estimated by; nil: by nothing.
func (p *Policy) StandIn() *price.Model { return p.content.standIn }

// Usage is what it may hold of callers' own words.
func (p *Policy) Usage() *redact.Rules { return p.content.usage }

// OrganizationID is the tenant.
func (p *Policy) OrganizationID() string { return p.content.organizationID }

// GatewayID is the gateway this policy was compiled for.
func (p *Policy) GatewayID() string { return p.content.gatewayID }

// Region is the gateway's, where its usage lives.
func (p *Policy) Region() string { return p.content.region }

// Epoch of the policy: it grows when the control plane was restored.
func (p *Policy) Epoch() int64 { return p.content.epoch }

// Version of the organization log whose content this is.
func (p *Policy) Version() int64 { return p.content.version }

// VersionHeader is Version as a header value; it is shared and must not be
// changed.
func (p *Policy) VersionHeader() []string { return p.content.versionHeader }

// RevocationVersion is the log version of the newest revocation known; 0: none.
func (p *Policy) RevocationVersion() int64 { return p.revocations.version }

// CompiledAt is when the control plane compiled the release.
func (p *Policy) CompiledAt() time.Time { return p.content.compiledAt }

// MaxRequestBytes bounds a request body.
func (p *Policy) MaxRequestBytes() int64 { return p.content.maxRequestBytes }

// PriceBookVersion names the price book; empty: the policy has none.
func (p *Policy) PriceBookVersion() string { return p.content.bookVersion }

// Holder is where the current policy is found. The zero value holds none.
type Holder struct{ current atomic.Pointer[Policy] }

// Load returns the current policy, nil before the first one came.
func (h *Holder) Load() *Policy { return h.current.Load() }

// Store swaps the policy; requests under way keep theirs.
func (h *Holder) Store(p *Policy) { h.current.Store(p) }
