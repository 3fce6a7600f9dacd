// Package relay takes usage from agents that have no way to Kafka: it checks whose each
// batch is, and writes the same bytes to where the agent itself would have written them. It
// keeps nothing: what it answered for, the broker has. It must not look into records, which
// ingest judges.
//
// # Whose batches
//
// An agent pushes its own, and those that a former agent of its organization left closed in
// the same state folder: ingest knows them by their signature, and settles them for whoever
// holds the folder. A former agent may be revoked: ingest takes what it has claimed before
// and puts the rest aside for an operator, so the relay passes both on. Batches of other
// organizations, and of gateways in other regions, are never taken, whoever signed them.
//
// # Bounds
//
// A body is read only once its agent is known and there is room (see room). An agent has one
// write to the broker under way; what it sends meanwhile waits, in its room. While the broker
// does not answer, one call at a time finds out whether it does again (see outage); all
// others are told at once when to come back.
package relay

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/validate"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/wire"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
	"github.com/weirhq/weir/proto/gen/weir/usage/v1/usagev1connect"
)

const (
	// maxRequestBytes is what the contract allows one call, beside its frame.
	maxRequestBytes = 4<<20 + 1<<16
	// bodyWithin is how long a body may take: 4 MiB at 1.5 Mbit/s.
	bodyWithin = 20 * time.Second
	// produceWithin bounds a call's writes to the broker, also when its caller is gone.
	produceWithin = 15 * time.Second
)

// Registry knows every enrolled agent and where gateways are. What it does not know is a
// fault of kind NotFound; any other error is taken for an outage.
type Registry interface {
	Agent(ctx context.Context, id uuid.UUID) (gateway.Agent, error)
	GatewayRegion(ctx context.Context, organization, gateway uuid.UUID) (string, error)
}

// Producer writes to the broker.
type Producer interface {
	// Produce appends values, in order, to the agent's partition, and returns how many of them,
	// from the first, all replicas in sync have. Errors are *fault.Error.
	Produce(ctx context.Context, agentID string, values [][]byte) (int, error)
}

// Config of a Handler; all but Region is needed.
type Config struct {
	Authenticator *fleet.Authenticator
	Registry      Registry
	Producer      Producer
	// Region whose usage the broker holds; empty: every region's.
	Region  string
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Limits  Limits
}

// Handler serves weir.usage.v1.UsageService.
type Handler struct {
	Config
	metrics *metrics
	room    *room
	turns   *turns
	regions *regions
}

var _ usagev1connect.UsageServiceHandler = (*Handler)(nil)

// New returns a handler, or what its configuration lacks.
func New(c Config) (*Handler, error) {
	if c.Authenticator == nil || c.Registry == nil || c.Producer == nil || c.Log == nil || c.Metrics == nil {
		return nil, errors.New("relay: authenticator, registry, producer, log and metrics are needed")
	}
	h := &Handler{Config: c, room: newRoom(c.Limits.withDefaults()), turns: newTurns(), regions: newRegions(c.Registry, c.Region)}
	h.metrics = newMetrics(c.Metrics, h.room.inUse)
	return h, nil
}

// Mount returns the path and the handler of the service, with authentication and bounds
// before it.
func (h *Handler) Mount() (path string, handler http.Handler) {
	path, service := usagev1connect.NewUsageServiceHandler(h,
		connect.WithReadMaxBytes(maxRequestBytes),
		connect.WithInterceptors(validate.NewInterceptor()),
		connect.WithCompression("gzip", nil, nil), // payloads are compressed, and nothing may grow here
	)
	return path, h.Authenticator.Bounded(fleet.Bounds{MaxBytes: maxRequestBytes, Within: bodyWithin, Enter: h.enter}, service)
}

func (h *Handler) enter(agent gateway.Agent, bytes int64) (leave func(), refused *fault.Error) {
	leave, refused = h.room.enter(agent, bytes)
	if refused != nil {
		h.metrics.refused(refused.Reason)
	}
	return leave, refused
}

// Push implements the service. It answers with how many batches the broker has, or with an
// error that is about the first of them.
func (h *Handler) Push(ctx context.Context, request *connect.Request[usagev1.PushRequest]) (*connect.Response[usagev1.PushResponse], error) {
	accepted, err := h.push(ctx, request.Msg.GetBatches())
	if err != nil && accepted == 0 {
		return nil, h.shown(ctx, err)
	}
	return connect.NewResponse(&usagev1.PushResponse{Accepted: int32(accepted)}), nil
}

func (h *Handler) push(ctx context.Context, batches []*usagev1.SignedBatch) (accepted int, err error) {
	caller, ok := fleet.AgentFrom(ctx)
	if !ok {
		return 0, errors.New("push: no agent in the context")
	}
	if err := h.regions.check(ctx, caller); err != nil {
		return 0, err
	}
	checked, refused := h.check(ctx, caller, batches)
	leave, err := h.turns.wait(ctx, caller.ID)
	if err != nil {
		return 0, err
	}
	defer leave()
	accepted, err = h.produce(ctx, checked)
	if err == nil && accepted == len(checked) {
		err = refused
	}
	return accepted, err
}

// produce writes runs of one agent's batches; a caller that goes away in the middle comes
// back with the same, and finds its turn taken until it is known what became of them.
func (h *Handler) produce(ctx context.Context, batches []checked) (accepted int, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), produceWithin)
	defer cancel()
	for accepted < len(batches) && err == nil {
		run := batches[accepted:]
		values := [][]byte{}
		for _, b := range run {
			if b.agent != run[0].agent {
				break
			}
			values = append(values, b.value)
		}
		began := time.Now()
		var taken int
		taken, err = h.Producer.Produce(ctx, run[0].agent, values)
		h.metrics.produced(run[:taken], time.Since(began))
		accepted += taken
	}
	return accepted, err
}

// shown is an error as its caller sees it.
func (h *Handler) shown(ctx context.Context, err error) error {
	shown := wire.Error(ctx, h.Log, err)
	reason := "internal"
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		reason = f.Reason
		shown.Meta().Set(fleet.ReasonHeader, reason)
	} else if ctx.Err() != nil {
		reason = "caller_gone"
	}
	h.metrics.refused(reason)
	return shown
}
