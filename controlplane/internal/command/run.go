package command

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// Call is a mutating request of the API.
type Call struct {
	Origin
	// Procedure is the RPC's path.
	Procedure string
	Request   proto.Message
	// ValidateOnly: check everything, write nothing, show no secret.
	ValidateOnly bool
	// ETag that the thing must still have; empty: whatever it has.
	ETag string
}

// Decision is what a call leads to.
type Decision[M proto.Message] struct {
	Changes []eventlog.Change
	// Version of the log at the last change of the one thing that this changes; 0:
	// there is no such thing yet.
	Version int64
	// Parts commit with the changes.
	Parts []pglog.Part
	// Answer makes the response from the recorded changes; it must be pure.
	Answer func(recorded []eventlog.Event) (M, error)
}

// errAnswered ends a commit that needs none.
var errAnswered = errors.New("answered")

// Run decides a call, commits it and answers. The same call said again, with the
// request id and by the same actor, gets the stored answer without its secrets;
// another call with that id is an Invalid fault.
func Run[M proto.Message](ctx context.Context, r *Runner, call Call, decide func(context.Context, readmodel.View) (Decision[M], error)) (M, error) {
	var answer M
	print, err := fingerprint(call, r.secretKey)
	if err != nil {
		return answer, err
	}
	_, err = r.Commit(ctx, call.Origin, func(ctx context.Context, v readmodel.View) (Plan, error) {
		before, ok, err := replayed[M](ctx, v, call, print)
		if err != nil {
			return Plan{}, err
		}
		if ok {
			answer = before
			return Plan{}, errAnswered
		}
		decision, err := decide(ctx, v)
		if stale := current(call.ETag, decision.Version); stale != nil && (err == nil || decision.Version > 0) {
			return Plan{}, stale // what is refused, too, was decided about another state than the caller's
		}
		if err != nil {
			return Plan{}, err
		}
		if call.ValidateOnly {
			if answer, err = preview(ctx, v, call, decision); err != nil {
				return Plan{}, err
			}
			return Plan{}, errAnswered
		}
		respond := func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, recorded []eventlog.Event) (err error) {
			if answer, err = decision.Answer(recorded); err != nil {
				return err
			}
			return remember(batch, call, print, answer)
		}
		return Plan{Changes: decision.Changes, Parts: append(decision.Parts, respond)}, nil
	})
	if errors.Is(err, errAnswered) {
		err = nil
	}
	return answer, err
}

// current holds an etag that was sent against the thing's own.
func current(etag string, version int64) error {
	switch {
	case etag == "" || etag == ETag(version):
		return nil
	case version == 0:
		return fault.Field("mutation.etag", "this call changes nothing that has an etag yet; leave it out")
	}
	return fault.Stale(ETag(version))
}

// ETag of a thing that the log changed last at a version.
func ETag(version int64) string { return strconv.FormatInt(version, 10) }

// preview answers as if the changes were recorded now.
func preview[M proto.Message](ctx context.Context, v readmodel.View, call Call, d Decision[M]) (M, error) {
	var none M
	head, err := readmodel.Head(ctx, v)
	if err != nil {
		return none, err
	}
	would, err := pglog.Record(eventlog.Append{
		OrganizationID: call.Organization, Head: head, Changes: d.Changes, Actor: call.Actor, RequestID: call.RequestID,
	}, time.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		return none, err
	}
	answer, err := d.Answer(would)
	if err != nil {
		return none, err
	}
	return withoutSecrets(answer).(M), nil
}
