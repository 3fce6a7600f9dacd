// Package fleet serves agents: it enrols them, streams each gateway's signed
// policy and revocations to those that are connected, ends the streams of revoked
// ones, asks agents for diagnoses, and keeps what they report.
// It compiles and signs through policy and signing; it changes no log itself.
package fleet

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/signing"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Policies reads what a compile needs.
type Policies interface {
	PolicyState(ctx context.Context, q PolicyQuery) (policy.State, error)
}

// PolicyQuery asks for the state that a gateway's policy is compiled from.
type PolicyQuery struct {
	OrganizationID, GatewayID uuid.UUID
	// Since asks for what changed after this version of the log; 0: for everything. Who
	// is asked may answer with everything all the same: State.Since tells.
	Since int64
	// ConfigurationVersion is the version of the log whose configuration is wanted, with
	// the keys and sealed credentials of now; 0: the present one.
	ConfigurationVersion int64
}

// Enroller registers agents; its faults tell an agent why it was refused.
type Enroller interface {
	EnrolAgent(ctx context.Context, tokenSHA256 [32]byte, publicKey []byte, name string) (gateway.Agent, error)
}

// Heads tells which organizations' logs went on; see eventlog.Tailer.
type Heads interface {
	Subscribe() (heads <-chan eventlog.Head, cancel func())
}

// Keys sign an organization's policies; see signing.Keys.
type Keys interface {
	Current(ctx context.Context, organization uuid.UUID) (signing.Current, error)
}

// Settled tells which usage of these agents is safe. Agents with none may be absent.
type Settled interface {
	SettledFor(ctx context.Context, agents []string) (map[string][]*agentv1.SettledRange, error)
}

// Revocations tells which agents were revoked.
type Revocations interface {
	// RevokedAgents of each organization after a version of its log; 0: all.
	RevokedAgents(ctx context.Context, after map[uuid.UUID]int64) ([]gateway.Agent, error)
}

// Config is all that a Handler works with. Timing's zero value is good.
type Config struct {
	Policies      Policies
	Enroller      Enroller
	Authenticator *Authenticator
	Heads         Heads
	Keys          Keys
	Releases      Releases
	Reports       Reports
	Settled       Settled
	Revocations   Revocations
	Asks          Asks
	Leases        Leases
	Compilers     Compilers
	// CompileRevision is that of policy.CompileNext; 0: policy.Revision.
	CompileRevision int32
	PriceBook       *policyv1.PriceBook
	// TrustedProxies are believed where an agent's report comes from.
	TrustedProxies []netip.Prefix
	Log            *slog.Logger
	// Metrics registers what is counted; nil: nobody looks.
	Metrics prometheus.Registerer
	Timing  Timing

	metrics   *metrics
	compilers *compilers
}

// Timing of streams; zero means the default in brackets.
type Timing struct {
	Heartbeat time.Duration // [15 s]
	Coalesce  time.Duration // [50 ms] between two looks at one gateway's state
	StreamAge time.Duration // [30 min], ± a fifth
	Settled   time.Duration // [1 s] between two looks at settled usage
	Flush     time.Duration // [500 ms] between two writes of reports
	Revoked   time.Duration // [100 ms] between two looks for revoked agents
	Asks      time.Duration // [50 ms] between two looks for asks
	Retry     time.Duration // [1 s] after a store failed
	Linger    time.Duration // [1 min] that a gateway's policy is followed after its last agent left
	Snapshot  time.Duration // [30 s] at most that one which is under way keeps others waiting
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&t.Heartbeat, 15*time.Second)
	set(&t.Coalesce, 50*time.Millisecond)
	set(&t.StreamAge, 30*time.Minute)
	set(&t.Settled, time.Second)
	set(&t.Flush, 500*time.Millisecond)
	set(&t.Revoked, 100*time.Millisecond)
	set(&t.Asks, 50*time.Millisecond)
	set(&t.Retry, time.Second)
	set(&t.Linger, time.Minute)
	set(&t.Snapshot, 30*time.Second)
	return t
}

// Handler serves weir.agent.v1.AgentService.
type Handler struct {
	Config
	hub      *hub
	reports  *reportBuffer
	receipts *receiptNotes
	revoked  *revokedAgents
}

var _ agentv1connect.AgentServiceHandler = (*Handler)(nil)

// NewHandler returns a handler that answers at once and streams while Run runs.
func NewHandler(config Config) *Handler {
	config.Timing, config.metrics = config.Timing.withDefaults(), newMetrics(config.Metrics)
	config.compilers = &compilers{store: config.Compilers, revision: cmp.Or(config.CompileRevision, policy.Revision), log: config.Log}
	return &Handler{Config: config, hub: newHub(config), reports: newReportBuffer(), receipts: newReceiptNotes(), revoked: newRevokedAgents()}
}

// Run follows the log, polls settled usage, delivers asks and stores reports until ctx
// ends. Then it sends every agent away, waits until all streams are closed and stores
// the last reports. Shut the HTTP server down after it.
func (h *Handler) Run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { h.follow(ctx); return nil })
	group.Go(func() error { h.endRevoked(ctx); return nil })
	group.Go(func() error { h.pollSettled(ctx); return nil })
	group.Go(func() error { h.flushReports(ctx); return nil })
	group.Go(func() error { h.deliverAsks(ctx); return nil })
	group.Go(func() error { h.compilers.run(ctx); return nil })
	<-ctx.Done()
	h.hub.drain()
	return group.Wait()
}
