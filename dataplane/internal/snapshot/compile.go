package snapshot

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/proto/contract/price"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Bounds of a policy: what is larger is refused before it is looked at.
const (
	MaxBytes     = 64 << 20
	MaxResources = 250_000
	// longestCredentialAge is ten years, in seconds: what an agent takes.
	longestCredentialAge = 10 * 365 * 24 * 3600
	// maxReasons is how many reasons one report can carry.
	maxReasons = 100
)

// InvalidError says why a policy was refused: every reason found, at most 100.
type InvalidError struct{ Reasons []string }

func (e *InvalidError) Error() string {
	return "policy refused: " + strings.Join(e.Reasons, "; ")
}

// Compile builds the policy of a release whose signature and root were verified.
// Resources of unknown kinds are left aside: a release that can't be served
// without them asks for a higher capability. A provider that origins don't allow
// is kept and marked Blocked. A nil set of revocations is an empty one. The error
// is an *InvalidError.
func Compile(release *policyv1.Release, resources []*policyv1.Resource, set *policyv1.Revocations, origins Origins) (*Policy, error) {
	return (*Policy)(nil).Next(release, resources, set, origins)
}

// Next is Compile after p, which may be nil: a price book that is the same is taken from
// there.
func (p *Policy) Next(release *policyv1.Release, resources []*policyv1.Resource, set *policyv1.Revocations, origins Origins) (*Policy, error) {
	c := &compiler{
		before:  p,
		origins: origins,
		named:   map[*Provider]func(string) *URLs{},
		reached: map[string]*URLs{},
		routes:  map[string]*Route{},
		keyIDs:  map[string]bool{},
		weights: map[string]int64{},
		content: &content{
			organizationID:  release.GetOrganizationId(),
			gatewayID:       release.GetGatewayId(),
			epoch:           release.GetEpoch(),
			version:         release.GetVersion(),
			versionHeader:   []string{strconv.FormatInt(release.GetVersion(), 10)},
			maxRequestBytes: DefaultMaxRequestBytes,
			keys:            map[[32]byte]*Key{},
			providers:       map[string]*Provider{},
			routes:          map[string]*Route{},
			lists:           map[*Provider]string{},
			usage:           &redact.Rules{}, // nothing, where there is no gateway
		},
	}
	if release.GetCompiledAt() != nil {
		c.content.compiledAt = release.GetCompiledAt().AsTime()
	}
	if c.bounds(release, resources) {
		c.compile(release, resources)
	}
	compiled, faults := compileRevocations(set)
	c.reasons = append(c.reasons, faults...)
	if len(c.reasons) > 0 {
		return nil, &InvalidError{Reasons: capped(c.reasons)}
	}
	return &Policy{content: c.content, revocations: compiled}, nil
}

func capped(reasons []string) []string {
	if len(reasons) <= maxReasons {
		return reasons
	}
	left := len(reasons) - (maxReasons - 1)
	return append(reasons[:maxReasons-1:maxReasons-1], fmt.Sprintf("and %d more", left))
}

// compiler resolves references in the order in which kinds depend on each other.
type compiler struct {
	before  *Policy // nil: none
	origins Origins
	content *content
	standIn price.Query
	// named are of providers whose paths name the model, reached what they said so far.
	named   map[*Provider]func(model string) *URLs
	reached map[string]*URLs
	routes  map[string]*Route // by id
	keyIDs  map[string]bool
	weights map[string]int64 // of projects, by id
	reasons []string
}

func (c *compiler) refuse(format string, args ...any) {
	c.reasons = append(c.reasons, fmt.Sprintf(format, args...))
}

func (c *compiler) bounds(release *policyv1.Release, resources []*policyv1.Resource) bool {
	if len(resources) > MaxResources {
		c.refuse("%d resources, at most %d are accepted", len(resources), MaxResources)
		return false
	}
	if int(release.GetResourceCount()) != len(resources) {
		c.refuse("the release names %d resources, %d came", release.GetResourceCount(), len(resources))
		return false
	}
	total := 0
	for _, r := range resources {
		total += len(r.GetKind()) + len(r.GetId()) + len(r.GetBody())
	}
	if total > MaxBytes {
		c.refuse("%d bytes, at most %d are accepted", total, MaxBytes)
		return false
	}
	return true
}

func (c *compiler) compile(release *policyv1.Release, resources []*policyv1.Resource) {
	byKind := map[string][]*policyv1.Resource{}
	for _, r := range resources {
		byKind[r.GetKind()] = append(byKind[r.GetKind()], r)
	}
	compileKind(c, byKind["gateway"], c.addGateway)
	c.priceBooks(byKind["price_book"])
	compileKind(c, byKind["provider"], c.addProvider)
	c.needPriceBook(release.GetPriceBookVersion())
	c.findStandIn()
	compileKind(c, byKind["route"], c.addRoute)
	compileKind(c, byKind["project"], c.addProject)
	compileKind(c, byKind["key"], c.addKey)
	compileKind(c, byKind["quota"], c.addQuota)
	c.spread()
	c.content.providerList = slices.SortedFunc(maps.Values(c.content.providers), func(a, b *Provider) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(c.content.routeList, func(a, b *Route) int { return strings.Compare(a.Name, b.Name) })
}

// Knows tells whether Compile reads resources of a kind; others it leaves aside.
func Knows(kind string) bool {
	switch kind {
	case "gateway", "price_book", "provider", "route", "project", "key", "quota":
		return true
	default:
		return false
	}
}

// message is a pointer to a generated message of one resource kind.
type message[T any] interface {
	*T
	proto.Message
}

func compileKind[T any, M message[T]](c *compiler, resources []*policyv1.Resource, add func(id string, m M)) {
	for _, r := range resources {
		m := M(new(T))
		if err := proto.Unmarshal(r.GetBody(), m); err != nil {
			c.refuse("%s %s: its bytes can't be decoded", r.GetKind(), r.GetId())
			continue
		}
		add(r.GetId(), m)
	}
}

func (c *compiler) addGateway(id string, g *policyv1.Gateway) {
	if id != c.content.gatewayID {
		c.refuse("gateway %s: the release is for gateway %s", id, c.content.gatewayID)
	}
	c.content.region = g.GetRegion()
	usage, faults := redact.NewRules(g.GetEndUsers(), g.GetLabels())
	for _, fault := range faults {
		c.refuse("gateway %s: %v", id, fault)
	}
	c.content.usage = usage
	switch limit := g.GetMaxRequestBytes(); {
	case limit < 0:
		c.refuse("gateway %s: the largest request body is negative", id)
	case limit > 0:
		c.content.maxRequestBytes = limit
	}
	switch c.content.servesUnrecorded = g.GetWhenSpoolFull() == policyv1.SpoolFull_SPOOL_FULL_TOMBSTONE; g.GetWhenSpoolFull() {
	case policyv1.SpoolFull_SPOOL_FULL_UNSPECIFIED, policyv1.SpoolFull_SPOOL_FULL_BLOCK, policyv1.SpoolFull_SPOOL_FULL_TOMBSTONE:
	default:
		c.refuse("gateway %s: what is done when the spool is full is %d, which is unknown here", id, g.GetWhenSpoolFull())
	}
	c.unpriced(id, g)
	age := g.GetCredentialMaxAgeSeconds()
	if age < 0 || age > longestCredentialAge {
		c.refuse("gateway %s: credentials are kept for %d s, 0 to %d are accepted", id, age, int64(longestCredentialAge))
		return
	}
	c.content.credentialAge = time.Duration(age) * time.Second
}

// priceBooks compiles the one that there should be, if it is another than before: it is
// most of the work where keys are few.
func (c *compiler) priceBooks(resources []*policyv1.Resource) {
	if len(resources) == 1 {
		c.content.bookBody = resources[0].GetBody()
		if c.before != nil && bytes.Equal(c.content.bookBody, c.before.content.bookBody) {
			c.content.book, c.content.bookVersion = c.before.content.book, c.before.content.bookVersion
			return
		}
	}
	compileKind(c, resources, c.addPriceBook)
}

func (c *compiler) addPriceBook(id string, b *policyv1.PriceBook) {
	if c.content.book != nil {
		c.refuse("price book %s: there is another one, %s", id, c.content.bookVersion)
		return
	}
	book, err := price.NewBook(b)
	if err != nil {
		c.refuse("price book %s: %v", id, err)
		return
	}
	c.content.book, c.content.bookVersion = book, book.Version()
}

// unpriced notes what is done without a price; the book with the entry that stands in
// comes later.
func (c *compiler) unpriced(id string, g *policyv1.Gateway) {
	c.content.unpriced = g.GetUnpriced()
	c.standIn = price.Query{List: g.GetEstimatePriceList(), Model: g.GetEstimateModel()}
	estimates := c.content.unpriced == policyv1.Unpriced_UNPRICED_ESTIMATE
	switch named := c.standIn.List != "" && c.standIn.Model != ""; {
	case c.content.unpriced < 0 || c.content.unpriced > policyv1.Unpriced_UNPRICED_BLOCK:
		c.refuse("gateway %s: what is done without a price is %d, which is unknown here", id, c.content.unpriced)
	case estimates != named || !estimates && c.standIn != (price.Query{}):
		c.refuse("gateway %s: an entry of the price book is named where it estimates, and there alone", id)
	}
}

// findStandIn leaves none where the book has it no more: such attempts are unpriced then.
func (c *compiler) findStandIn() {
	if c.content.unpriced == policyv1.Unpriced_UNPRICED_ESTIMATE && c.content.book != nil {
		c.content.standIn = c.content.book.Lookup(c.standIn)
	}
}

func (c *compiler) needPriceBook(version string) {
	if version != c.content.bookVersion {
		c.refuse("the release names price book %q, %q came", version, c.content.bookVersion)
	}
}
