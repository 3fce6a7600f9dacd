package command

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// wholeKey is where a context has the whole that its commands are parts of.
type wholeKey struct{}

// whole is what the commands of a Whole share.
type whole struct {
	view      readmodel.View
	requestID string
}

// errPreviewed ends a transaction that was to show what would be.
var errPreviewed = errors.New("previewed")

// Whole runs a call that is made of several commands of the same organization, all
// of them or none: what do commits with the context that it is given is one
// transaction. It may run several times. Retries and previews are as in Run.
func Whole[M proto.Message](ctx context.Context, r *Runner, call Call, do func(context.Context) (M, error)) (M, error) {
	var answer M
	print, err := fingerprint(call, r.secretKey)
	if err != nil {
		return answer, err
	}
	attempt := func(v readmodel.View) error {
		before, ok, err := replayed[M](ctx, v, call, print)
		if err != nil {
			return err
		}
		if ok {
			answer = before
			return nil
		}
		if answer, err = do(context.WithValue(ctx, wholeKey{}, whole{v, call.RequestID})); err != nil {
			return err
		}
		if call.ValidateOnly {
			answer = withoutSecrets(answer).(M)
			return errPreviewed
		}
		batch := &pgx.Batch{}
		if err := remember(batch, call, print, answer); err != nil || batch.Len() == 0 {
			return err
		}
		return v.Tx.SendBatch(ctx, batch).Close()
	}
	err = r.alone(ctx, call.Organization, func() error {
		return r.store.Write(ctx, call.Organization, attempt)
	})
	if errors.Is(err, errPreviewed) {
		err = nil
	}
	return answer, err
}

// within decides and appends in the transaction of a whole; the events are recorded
// with the whole's request id.
func (r *Runner) within(ctx context.Context, w whole, from Origin, decide Decide) ([]eventlog.Event, error) {
	head, err := admit(ctx, w.view, from)
	if err != nil {
		return nil, err
	}
	plan, err := decide(ctx, w.view)
	if err != nil {
		return nil, err
	}
	from.RequestID = w.requestID
	return r.log.AppendIn(ctx, w.view.Tx, from.toAppend(head, plan), plan.Parts...)
}
