// Package agenttest runs agents by the thousand in one process, for load tests: each is
// the real client of the control plane, with a state folder and connections of its own,
// and compiles what it gets as every agent does. It has no proxy and no spool.
package agenttest

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/weirhq/weir/dataplane/internal/control"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Config of an Agent. All but Served is required.
type Config struct {
	// URL of the control plane, and the enrolment token for an agent whose StateDir has
	// no identity yet.
	URL, Token, Name, StateDir string
	// Transport is cloned.
	Transport *http.Transport
	Log       *slog.Logger
	// Served hears what the agent serves from now on, after each policy and each larger
	// set of revocations. It must not block.
	Served func(*Agent, Position)
}

// Position is what an agent serves.
type Position struct {
	Epoch, Version    int64
	RevocationVersion int64
}

// Agent is one simulated agent.
type Agent struct {
	config Config
	policy snapshot.Holder
	client *control.Client
}

// New reads the agent's identity and last policy, if it has them; it calls nobody.
func New(config Config) (*Agent, error) {
	a := &Agent{config: config}
	client, err := control.New(control.Config{
		URL: config.URL, StateDir: config.StateDir, Token: secret.NewValue(config.Token), Name: config.Name,
		Version: "loadtest", Build: "loadtest", Platform: "loadtest",
		Compile: a.compile, ApplyRevocations: a.revoke,
		Tails:       func() []*agentv1.BootTail { return []*agentv1.BootTail{{Boot: "1-loadtest"}} },
		Settle:      func([]*agentv1.SettledRange) {},
		Spooled:     func() control.Spooled { return control.Spooled{} },
		Credentials: func() *agentv1.CredentialReport { return nil }, Targets: func() *agentv1.TargetReport { return nil },
		Served:    func() control.Served { return control.Served{} },
		Answer:    func(context.Context, *agentv1.Ask) *agentv1.AnswerRequest { return nil },
		Transport: config.Transport, Log: config.Log,
	})
	if err != nil {
		return nil, err
	}
	a.client = client
	client.LoadPolicy()
	return a, nil
}

// Run follows the control plane until ctx ends.
func (a *Agent) Run(ctx context.Context) error { return a.client.Run(ctx) }

// Position of what is served; zero: nothing.
func (a *Agent) Position() Position {
	p := a.policy.Load()
	if p == nil {
		return Position{}
	}
	return Position{Epoch: p.Epoch(), Version: p.Version(), RevocationVersion: p.RevocationVersion()}
}

// Refuses tells whether a request with the key whose text has this SHA-256 would be
// refused now.
func (a *Agent) Refuses(sha256 [32]byte) bool {
	p := a.policy.Load()
	if p == nil {
		return true
	}
	_, standing := p.Key(sha256, time.Now())
	return standing != snapshot.Good
}

func (a *Agent) compile(release *policyv1.Release, resources []*policyv1.Resource, set *policyv1.Revocations) (func(), error) {
	policy, err := a.policy.Load().Next(release, resources, set, snapshot.DefaultOrigins())
	if err != nil {
		return nil, err
	}
	return func() { a.serve(policy) }, nil
}

func (a *Agent) revoke(set *policyv1.Revocations) error {
	policy, err := a.policy.Load().WithRevocations(set)
	if err != nil {
		return err
	}
	a.serve(policy)
	return nil
}

func (a *Agent) serve(policy *snapshot.Policy) {
	a.policy.Store(policy)
	if a.config.Served != nil {
		a.config.Served(a, a.Position())
	}
}
