// Package control follows the control plane: it enrols the agent, watches its
// gateway's policy, believes only what the organization signed, keeps the last
// known good on disk and reports what is served. It does not know what a policy
// means, Config.Compile does, but for which keys it takes away: those stay away.
package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/dataplane/internal/secret"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Capability of this build, raised with each kind of policy it learns to serve.
//
//	1 (2026-07-01): gateway, provider, route with one target, key, price_book.
//	2 (2026-11-22): the secret before a key's rotation, headers of a provider,
//	   timeouts of providers and routes, projects that a route is for.
//	3 (2026-11-26): sealed credentials; routes with several targets, their
//	   strategies and retries.
//	4 (2026-11-26): how long a credential is kept whose source went away; routes that a
//	   gateway does not serve; keys that may use no route. Asks are answered; deltas,
//	   snapshots in chunks and heartbeats that confirm nothing are understood.
//	5 (2026-11-27): providers of the dialect anthropic.
//	6 (2026-11-27): providers of gemini, azure-openai, bedrock and vertex; strict routes;
//	   translation.
//	7 (2026-11-27): the strategies latency, least busy, cheapest and sticky; conditions of
//	   targets; hedging, canaries and shadows; timeouts to connect and to the first token;
//	   failures by a context that is too long and by content filters.
//	8 (2026-11-27): serving on while the spool is full; what usage may hold of callers' words.
//	9 (2026-11-27): quotas; price books with entries for one provider, for some time, for the
//	   tokens beyond a threshold, by regions, images and requests; what is done without a price.
//	10 (2026-11-28): project; weights and priorities of keys, queues of providers.
const Capability = 10

// Compile prepares a verified policy with the revocations that hold now. swap
// makes it the served one; it runs after the policy is on disk. An error refuses
// the policy, a *snapshot.InvalidError with several reasons.
type Compile func(*policyv1.Release, []*policyv1.Resource, *policyv1.Revocations) (swap func(), err error)

// Config of a Client. All but Token, Name, Version, Build, Platform, Seed, Transport and
// Timing are required.
type Config struct {
	// URL of the control plane.
	URL string
	// StateDir keeps identity/ and policy/, both readable by this user only.
	StateDir string
	// Token enrols an agent that has no identity yet.
	Token secret.Value
	// Name to show to people.
	Name string
	// Version, Build and Platform of the program, for people, too.
	Version, Build, Platform string
	Compile                  Compile
	// ApplyRevocations puts a larger set on the served policy, at once.
	ApplyRevocations func(*policyv1.Revocations) error
	// Answer answers an ask before its context ends, up to four at once.
	Answer func(context.Context, *agentv1.Ask) *agentv1.AnswerRequest
	// Tails, Settle and Spooled are the usage spool's.
	Tails   func() []*agentv1.BootTail
	Settle  func([]*agentv1.SettledRange)
	Spooled func() Spooled
	// Credentials are how the agent does with those of its policy; nil: there is none.
	Credentials func() *agentv1.CredentialReport
	// Targets are how those of its policy do, as requests found them; nil: there is none.
	Targets func() *agentv1.TargetReport
	// Seed may be served by an agent that has nothing newer.
	Seed Seed
	// Served tells of requests since the start.
	Served func() Served
	// Transport is cloned; nil: the default one.
	Transport *http.Transport
	Log       *slog.Logger
	Timing    Timing
}

// Spooled is the usage that is not settled.
type Spooled struct {
	Bytes, Records int64
	// Oldest is how long the oldest closed batch waits; 0: none does.
	Oldest time.Duration
}

// Served are requests whose outcome tells of the policy, the upstreams or the agent, and
// those of them that failed for no fault of the caller.
type Served struct{ Requests, Failures int64 }

// Timing of calls; zero means the default in brackets.
type Timing struct {
	Watchdog time.Duration // [45 s] without a byte on the stream
	Silence  time.Duration // [5 s] without the first byte of a stream
	Wait     time.Duration // [30 s] that a poll lasts where nothing is new
	Polling  time.Duration // [10 min] until a stream is tried again
	Report   time.Duration // [5 s]
	Spread   time.Duration // [500 ms] until a change is reported, at most
	MinRetry time.Duration // [100 ms]
	MaxRetry time.Duration // [10 s]
	Revoked  time.Duration // [10 min] at most between two calls of a revoked agent
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&t.Watchdog, 45*time.Second)
	set(&t.Silence, 5*time.Second)
	set(&t.Wait, 30*time.Second)
	set(&t.Polling, 10*time.Minute)
	set(&t.Report, 5*time.Second)
	set(&t.Spread, 500*time.Millisecond)
	set(&t.MinRetry, 100*time.Millisecond)
	set(&t.MaxRetry, 10*time.Second)
	set(&t.Revoked, 10*time.Minute)
	return t
}

// Validate lists all faults at once.
func (c Config) Validate() error {
	var faults []error
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		faults = append(faults, errors.New("control plane URL: want http(s)://host"))
	}
	for name, missing := range map[string]bool{
		"state folder": c.StateDir == "", "compile": c.Compile == nil, "apply revocations": c.ApplyRevocations == nil, "answer": c.Answer == nil,
		"tails": c.Tails == nil, "settle": c.Settle == nil, "spooled": c.Spooled == nil, "credentials": c.Credentials == nil, "targets": c.Targets == nil, "served": c.Served == nil, "log": c.Log == nil,
	} {
		if missing {
			faults = append(faults, fmt.Errorf("%s: missing", name))
		}
	}
	return errors.Join(faults...)
}

// Client is one agent's side of the control plane.
type Client struct {
	config    Config
	transport *transport
	service   agentv1connect.AgentServiceClient
	slots     *slots
	memory    *memory // under mu
	keys      keyring

	identity atomic.Pointer[Identity]
	enrolled chan struct{}
	fresh    atomic.Int64 // Unix ms; 0: never
	revoked  atomic.Pointer[RefusedError]
	due      chan struct{}
	asks     chan asked
	old      atomic.Bool // the control plane knows no polls
	polling  time.Time   // until when; the watch's own

	mu       sync.Mutex
	serving  *policyFile
	unstored bool       // what is served is in no slot: it is the seed's, its revocations are, or the disk was full
	pending  *signedSet // revocations that came before a policy
	rejected []byte
	misfits  int   // deltas one after the other that did not fit
	unused   error // why what is stored is not served
	reasons  []string
	untold   []string // reasons that no report has carried; they may be over
	refusals int64    // of policies, since the start
	// toldCredentials and toldTargets are what reports said of them.
	toldCredentials told[agentv1.CredentialReport]
	toldTargets     told[agentv1.TargetReport]
	inForce         time.Time // since when the revocations are
	ignored         []string  // kinds of resources
	unpinned        bool      // the identity in memory believes other keys than the one on disk
}

// New reads the identity, if there is one; it calls nobody.
func New(config Config) (*Client, error) {
	config.URL = strings.TrimRight(config.URL, "/")
	config.Timing = config.Timing.withDefaults()
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("control client: %w", err)
	}
	slots, err := openSlots(filepath.Join(config.StateDir, "policy"))
	if err != nil {
		return nil, err
	}
	memory, err := openMemory(filepath.Join(config.StateDir, "policy", "revoked"))
	if err != nil {
		config.Log.Error("not all keys that were revoked are remembered; those in the stored sets are", "error", err)
	}
	c := &Client{
		config:   config,
		slots:    slots,
		memory:   memory,
		keys:     keyring{dir: filepath.Join(config.StateDir, "identity")},
		enrolled: make(chan struct{}),
		due:      make(chan struct{}, 1),
		asks:     make(chan asked, waitingAsks),
	}
	if err := removeLeftovers(filepath.Join(config.StateDir, "policy")); err != nil {
		config.Log.Warn("leftovers stay in the policy folder", "error", err) // a read-only disk is no reason not to serve
	}
	c.recallRefused()
	c.transport = newTransport(config.Transport, config.URL, &c.identity)
	c.service = newService(c.transport, config.URL)
	identity, ok, err := c.keys.load()
	if err != nil {
		return nil, err
	}
	if ok {
		c.adopt(identity)
	}
	return c, nil
}

// adopt makes the identity the client's own, once.
func (c *Client) adopt(identity *Identity) {
	if identity.ControlPlane != c.config.URL {
		c.config.Log.Warn("the agent enrolled under another URL of the control plane; signatures are checked as before",
			"enrolled_at", identity.ControlPlane, "configured", c.config.URL)
	}
	c.identity.Store(identity)
	close(c.enrolled)
}

// Identity of the agent; false before it is enrolled.
func (c *Client) Identity() (Identity, bool) {
	if identity := c.identity.Load(); identity != nil {
		return *identity, true
	}
	return Identity{}, false
}

// Enrolled is closed once Identity is there.
func (c *Client) Enrolled() <-chan struct{} { return c.enrolled }

// Freshness is when the control plane last confirmed the served policy; zero:
// never. It survives a restart to within half a minute.
func (c *Client) Freshness() time.Time {
	if ms := c.fresh.Load(); ms != 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}

// Run enrols if need be, then watches, reports and answers until ctx ends. Call LoadPolicy
// before it.
func (c *Client) Run(ctx context.Context) error {
	if _, ok := c.Identity(); !ok {
		if err := c.enrol(ctx); err != nil {
			return err
		}
	}
	var group errgroup.Group
	group.Go(func() error { c.watch(ctx); return nil })
	group.Go(func() error { c.report(ctx); return nil })
	for range parallelAsks {
		group.Go(func() error { c.answer(ctx); return nil })
	}
	return group.Wait()
}
