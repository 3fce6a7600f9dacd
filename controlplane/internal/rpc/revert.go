package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/history"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// maxReverted bounds the resources that one revert changes, and those that its answer names.
const maxReverted = 1000

// maxToldBytes is about how much of what a revert changed its answer says, and of what
// it left; the answer is stored.
const maxToldBytes = 1 << 20

// revert is one on its way, in the transaction of a whole.
type revert struct {
	*histories
	caller authn.Principal
	origin command.Origin
	etag   string
	// target is the version to go back to, head the one before the revert.
	target, head int64
	// only is the one resource that goes back; uuid.Nil: all.
	only uuid.UUID
	// in are the chapters that it is about.
	in []chapter
}

func (s *histories) Revert(ctx context.Context, req *connect.Request[adminv1.RevertRequest]) (*connect.Response[adminv1.RevertResponse], error) {
	if err := everywhere(ctx, req.Msg); err != nil {
		return nil, err
	}
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	mutation := req.Msg.GetMutation()
	origin := command.Origin{
		Organization: caller.OrganizationID, Actor: caller.Actor(), RequestID: mutation.GetRequestId(), Source: sourceOf(ctx),
	}
	r := revert{histories: s, caller: caller, origin: origin, etag: mutation.GetEtag(), target: req.Msg.GetToVersion(), in: s.chapters}
	if one := req.Msg.GetResource(); one != nil {
		c, err := s.chapter("resource.kind", one.GetKind())
		if err != nil {
			return nil, err
		}
		if r.only, err = parseID("resource.id", one.GetId()); err != nil {
			return nil, err
		}
		r.target, r.in = one.GetVersion(), []chapter{c}
	}
	answer, err := command.Whole(ctx, s.runner, command.Call{
		Origin: origin, Procedure: req.Spec().Procedure, Request: req.Msg, ValidateOnly: mutation.GetValidateOnly(), ETag: mutation.GetEtag(),
	}, func(ctx context.Context) (*adminv1.RevertResponse, error) {
		return r.run(ctx, mutation.GetValidateOnly())
	})
	if violates(err, "organization_name") {
		return nil, fault.Because(fault.Conflict, "name_taken", "another organization was faster to take the name that this one had")
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}

// run goes back step by step and looks at what came of it: what is left, and why, is
// read, not thought.
func (r revert) run(ctx context.Context, preview bool) (*adminv1.RevertResponse, error) {
	steps, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		if err := authz.Check(r.caller, s.permission); err != nil {
			return nil, err
		}
	}
	refused, err := r.settle(ctx, steps)
	if err != nil {
		return nil, err
	}
	if r.only != uuid.Nil && len(refused) > 0 {
		return nil, refused[0].Reason
	}
	answer := &adminv1.RevertResponse{}
	err = r.look(ctx, func(v readmodel.View) error {
		now, err := readmodel.Head(ctx, v)
		if err != nil {
			return err
		}
		if answer.Version = now; preview {
			answer.Version = r.head
		}
		answer.Etag = toETag(answer.Version)
		var more, moreSkipped bool
		if answer.Changes, more, err = r.changes(ctx, v, r.head, now); err != nil {
			return err
		}
		answer.Skipped, moreSkipped, err = r.skipped(ctx, v, now, refused)
		answer.Truncated = more || moreSkipped
		return err
	})
	return answer, err
}

// look reads what the revert did so far; nobody else changes anything meanwhile.
func (r revert) look(ctx context.Context, fn func(readmodel.View) error) error {
	_, err := r.runner.Commit(ctx, r.origin, func(_ context.Context, v readmodel.View) (command.Plan, error) {
		return command.Plan{}, fn(v)
	})
	return err
}

// begin finds the steps back, those first that others stand on.
func (r *revert) begin(ctx context.Context) (steps []step, err error) {
	err = r.look(ctx, func(v readmodel.View) error {
		if r.head, err = readmodel.Head(ctx, v); err != nil {
			return err
		}
		if r.etag != "" && r.etag != toETag(r.head) {
			return fault.Stale(toETag(r.head))
		}
		field := "to_version"
		if r.only != uuid.Nil {
			field = "resource.version"
		}
		if _, err := v.AsOfVersion(ctx, field, r.target); err != nil {
			return err
		}
		if r.only != uuid.Nil {
			if err := r.in[0].revertible(ctx, v, r.target, r.only); err != nil {
				return err
			}
		}
		steps, err = r.steps(ctx, v)
		return err
	})
	return steps, err
}

func (r *revert) steps(ctx context.Context, v readmodel.View) ([]step, error) {
	var back, ends []step
	for _, c := range r.in {
		found, err := c.steps(ctx, v, readmodel.Span{From: r.target, To: r.head, Only: r.only, Limit: maxReverted + 1})
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			if s.ends {
				ends = append([]step{s}, ends...)
			} else {
				back = append(back, s)
			}
		}
	}
	if len(back)+len(ends) > maxReverted {
		return nil, fault.Because(fault.Precondition, "revert_too_large",
			"more than %d resources differ from version %d; go back to a later one first, or resource by resource", maxReverted, r.target)
	}
	return append(back, ends...), nil
}

// settle makes the steps that can be made. Where a name is in the way that its owner
// is about to lose, the owner is called something else first.
func (r revert) settle(ctx context.Context, steps []step) ([]history.Refused[step], error) {
	try := func(s step) error { return s.back(ctx, r.runner, r.origin) }
	refused, err := history.Settle(steps, try)
	if err != nil {
		return nil, err
	}
	owners := inTheWay(refused)
	if len(owners) == 0 {
		return refused, nil
	}
	parked := map[uuid.UUID]bool{}
	_, err = history.Settle(owners, func(s step) error {
		err := s.park(ctx, r.runner, r.origin)
		parked[s.id] = err == nil
		return err
	})
	if err != nil {
		return nil, err
	}
	left := convertAll(refused, func(one history.Refused[step]) step { return one.Step })
	if refused, err = history.Settle(left, try); err != nil {
		return nil, err
	}
	for _, one := range refused {
		if parked[one.Step.id] {
			return nil, fault.Because(fault.Precondition, "revert_blocked",
				"%s %q has a name that another had at version %d, and keeps it (%s); rename it first", one.Step.kind, one.Step.name, r.target, one.Reason.Message)
		}
	}
	return refused, nil
}

// inTheWay are the steps of resources whose names others wait for.
func inTheWay(refused []history.Refused[step]) []step {
	var owners []step
	for _, owner := range refused {
		for _, waiting := range refused {
			if waiting.Reason.Reason == "name_taken" && owner.Step.park != nil && owner.Step.owns == waiting.Step.wants && owner.Step.owns != "" &&
				owner.Step.id != waiting.Step.id {
				owners = append(owners, owner.Step)
				break
			}
		}
	}
	return owners
}
