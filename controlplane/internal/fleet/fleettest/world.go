// Package fleettest holds the stores that package fleet works with, in memory,
// and a small organization to try it on.
package fleettest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/signing"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Token enrols any number of agents at World's gateway.
const Token = "weiret_for-tests"

var priceBook = &policyv1.PriceBook{Version: "test"}

// World is one organization with one gateway, and everything a fleet.Handler asks.
type World struct {
	Releases
	Asks
	Compilers

	mu          sync.Mutex
	state       policy.State
	past        []policy.State // of every version but this one, in order
	reads       int
	agents      map[uuid.UUID]gateway.Agent
	subscribers map[chan eventlog.Head]struct{}
	keys        []ed25519.PrivateKey // the first signs
	reports     map[uuid.UUID]fleet.Report
	settled     map[string][]*agentv1.SettledRange
}

// NewWorld has a provider, a route and a key.
func NewWorld() *World {
	w := &World{
		state:       policy.State{OrganizationID: uuid.New(), Version: 1},
		agents:      make(map[uuid.UUID]gateway.Agent),
		subscribers: make(map[chan eventlog.Head]struct{}),
		keys:        []ed25519.PrivateKey{newKey()},
		reports:     make(map[uuid.UUID]fleet.Report),
		settled:     make(map[string][]*agentv1.SettledRange),
	}
	w.state.Gateway = gateway.Gateway{ID: uuid.New(), Name: "test", Region: "local"}
	p := provider.Provider{ID: uuid.New(), Settings: provider.Settings{
		Name: "mock", Dialect: eventv1.Dialect_DIALECT_OPENAI, BaseURL: "http://127.0.0.1:1/v1", CredentialRef: "env://NONE",
	}}
	w.state.Providers = []provider.Provider{p}
	w.state.Routes = []route.Route{{ID: uuid.New(), Settings: route.Settings{
		Name: "chat", Strategy: eventv1.Strategy_STRATEGY_SINGLE, Targets: []route.Target{{ProviderID: p.ID, Model: "m"}},
	}}}
	w.AddKey("first")
	return w
}

// Config is a handler's over this world, known to agents under url.
func (w *World) Config(url string, log *slog.Logger) fleet.Config {
	return fleet.Config{
		Policies: w, Enroller: w, Heads: w, Keys: w, Releases: &w.Releases, Reports: w, Settled: w, Revocations: w, Asks: &w.Asks, Compilers: &w.Compilers,
		Authenticator: fleet.NewAuthenticator(w, []string{url}, log),
		PriceBook:     priceBook,
		Log:           log,
	}
}

// Change alters the state in one version and wakes who follows.
func (w *World) Change(change func(*policy.State)) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.past = append(w.past, w.state)
	w.state.Version++
	change(&w.state)
	w.tell()
	return w.state.Version
}

// Wake wakes who follows, though nothing changed here.
func (w *World) Wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell()
}

func (w *World) tell() {
	for s := range w.subscribers {
		select {
		case <-s:
		default:
		}
		s <- eventlog.Head{OrganizationID: w.state.OrganizationID, Version: w.state.Version}
	}
}

// AddKey adds a key with this text.
func (w *World) AddKey(text string) uuid.UUID {
	sum := sha256.Sum256([]byte(text))
	k := key.Key{ID: uuid.New(), ProjectID: uuid.New(), SHA256: sum[:]}
	w.Change(func(s *policy.State) { s.Keys = append(s.Keys, k) })
	return k.ID
}

// AddKeys adds n keys with random texts in one version.
func (w *World) AddKeys(n int) int64 {
	return w.Change(func(s *policy.State) {
		s.Keys = slices.Clip(s.Keys)
		for range n {
			var sum [32]byte
			rand.Read(sum[:]) // never fails
			s.Keys = append(s.Keys, key.Key{ID: uuid.New(), ProjectID: uuid.New(), SHA256: sum[:]})
		}
	})
}

// RemoveKey removes the newest key that lives: those that are revoked stay for long.
func (w *World) RemoveKey() int64 {
	return w.Change(func(s *policy.State) {
		for i, k := range slices.Backward(s.Keys) {
			if k.RevokedAt.IsZero() {
				s.Keys = slices.Delete(slices.Clone(s.Keys), i, i+1)
				return
			}
		}
	})
}

// Root implements watched.Truth.
func (w *World) Root(version int64) ([]byte, error) {
	compiled, err := policy.CompileNext(nil, w.State(version), priceBook)
	if err != nil {
		return nil, err
	}
	return compiled.Root, nil
}

// RevocationVersion implements watched.Truth.
func (w *World) RevocationVersion(version int64) (int64, error) {
	return policy.Revocations(w.State(version)).GetVersion(), nil
}

// Revoke revokes every key with this text.
func (w *World) Revoke(text string) int64 {
	sum := sha256.Sum256([]byte(text))
	return w.Change(func(s *policy.State) {
		keys := append([]key.Key(nil), s.Keys...)
		for i := range keys {
			if string(keys[i].SHA256) == string(sum[:]) {
				keys[i].RevokedAt, keys[i].RevokedVersion = time.Now(), s.Version
			}
		}
		s.Keys = keys
	})
}

// Agent implements fleet.Agents.
func (w *World) Agent(_ context.Context, id uuid.UUID) (gateway.Agent, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	agent, ok := w.agents[id]
	if !ok {
		return gateway.Agent{}, fault.New(fault.NotFound, "no agent %s", id)
	}
	return agent, nil
}

// RevokeAgents revokes every agent.
func (w *World) RevokeAgents() {
	w.Change(func(s *policy.State) {
		for id, agent := range w.agents {
			agent.RevokedAt, agent.Version = time.Now(), s.Version
			w.agents[id] = agent
		}
	})
}

// RevokedAgents implements fleet.Revocations.
func (w *World) RevokedAgents(_ context.Context, after map[uuid.UUID]int64) (found []gateway.Agent, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, agent := range w.agents {
		if version, wanted := after[agent.OrganizationID]; wanted && agent.Revoked() && agent.Version > version {
			found = append(found, agent)
		}
	}
	return found, nil
}

// EnrolAgent implements fleet.Enroller.
func (w *World) EnrolAgent(_ context.Context, token [32]byte, publicKey []byte, name string) (gateway.Agent, error) {
	if token != sha256.Sum256([]byte(Token)) {
		return gateway.Agent{}, fault.Because(fault.Unauthenticated, "enrolment_token_unknown", "no such enrolment token")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, known := range w.agents {
		if string(known.PublicKey) == string(publicKey) {
			if known.Revoked() {
				return gateway.Agent{}, known.Refused()
			}
			return known, nil
		}
	}
	agent := gateway.Agent{
		ID: uuid.New(), OrganizationID: w.state.OrganizationID, GatewayID: w.state.Gateway.ID, Name: name, PublicKey: publicKey,
	}
	w.agents[agent.ID] = agent
	return agent, nil
}

// PolicyState implements fleet.Policies.
func (w *World) PolicyState(_ context.Context, q fleet.PolicyQuery) (policy.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	if q.ConfigurationVersion > 0 && q.ConfigurationVersion < w.state.Version {
		state, past := w.state, w.past[q.ConfigurationVersion-1]
		state.Gateway, state.Providers, state.Routes = past.Gateway, past.Providers, past.Routes
		state.PriceOverrides, state.PriceOverridesVersion = past.PriceOverrides, past.PriceOverridesVersion
		state.ConfigurationVersion = q.ConfigurationVersion
		return state, nil
	}
	if q.Since <= 0 || q.Since >= w.state.Version || len(w.state.Gateway.AllowedRegions) > 0 {
		return w.state, nil
	}
	return changes(w.past[q.Since-1], w.state), nil
}

// Reads is how often the state was read.
func (w *World) Reads() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reads
}

// Head is the version of the state.
func (w *World) Head() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.Version
}

// State at a version, whole.
func (w *World) State(version int64) policy.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	if version == w.state.Version {
		return w.state
	}
	return w.past[version-1]
}

// Subscribe implements fleet.Heads.
func (w *World) Subscribe() (<-chan eventlog.Head, func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := make(chan eventlog.Head, 1)
	s <- eventlog.Head{OrganizationID: w.state.OrganizationID, Version: w.state.Version}
	w.subscribers[s] = struct{}{}
	return s, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.subscribers, s)
	}
}

// Current implements fleet.Keys.
func (w *World) Current(context.Context, uuid.UUID) (signing.Current, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	private := w.keys[0]
	current := signing.Current{ID: keyID(private), Sign: func(message []byte) []byte { return ed25519.Sign(private, message) }}
	for _, k := range w.keys {
		current.Believed = append(current.Believed, signing.PublicKey{ID: keyID(k), Key: k.Public().(ed25519.PublicKey)})
	}
	return current, nil
}

// AnnounceKey makes the key that signs after RetireKey. No version changes.
func (w *World) AnnounceKey() {
	w.mu.Lock()
	w.keys = append(w.keys, newKey())
	w.mu.Unlock()
	w.Wake()
}

// RetireKey lets the announced key take over.
func (w *World) RetireKey() {
	w.mu.Lock()
	w.keys = w.keys[1:]
	w.mu.Unlock()
	w.Wake()
}

// SignFrom has the world sign with the key of a seed, as processes do that are one installation.
func (w *World) SignFrom(seed [ed25519.SeedSize]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys = []ed25519.PrivateKey{ed25519.NewKeyFromSeed(seed[:])}
}

func newKey() ed25519.PrivateKey {
	var seed [ed25519.SeedSize]byte
	rand.Read(seed[:]) // never fails
	return ed25519.NewKeyFromSeed(seed[:])
}

func keyID(key ed25519.PrivateKey) string {
	return "sk_" + hex.EncodeToString(key.Public().(ed25519.PublicKey)[:4])
}

// Save implements fleet.Reports.
func (w *World) Save(_ context.Context, reports []fleet.Report) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range reports {
		w.reports[r.AgentID] = r
	}
	return nil
}

// LastReports by agent.
func (w *World) LastReports() map[uuid.UUID]fleet.Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[uuid.UUID]fleet.Report, len(w.reports))
	for id, r := range w.reports {
		all[id] = r
	}
	return all
}

// SettledFor implements fleet.Settled.
func (w *World) SettledFor(_ context.Context, agents []string) (map[string][]*agentv1.SettledRange, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := make(map[string][]*agentv1.SettledRange)
	for _, id := range agents {
		found[id] = w.settled[id]
	}
	return found, nil
}

// Settle makes ranges of every agent's usage safe.
func (w *World) Settle(ranges ...*agentv1.SettledRange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.agents {
		w.settled[id.String()] = ranges
	}
}
