package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/history"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// changes are what differs between two versions; more: not all of it is said.
func (r revert) changes(ctx context.Context, v readmodel.View, from, to int64) (changes []*adminv1.ResourceChange, more bool, err error) {
	bytes := 0
	for _, c := range r.in {
		span := readmodel.Span{From: from, To: to, Only: r.only, Limit: maxReverted}
		whole, err := eachBetween(ctx, v, c, span, func(t turn) (bool, error) {
			change, err := toProtoChange(t)
			if err != nil || change == nil {
				return true, err
			}
			if len(changes) == maxReverted || bytes > maxToldBytes {
				return false, nil
			}
			changes, bytes = append(changes, change), bytes+proto.Size(change)
			return true, nil
		})
		if err != nil || !whole {
			return changes, true, err
		}
	}
	return changes, false, nil
}

// skipped is what differs from the target still; more: not all of it is said.
func (r revert) skipped(ctx context.Context, v readmodel.View, now int64, refused []history.Refused[step]) ([]*adminv1.SkippedResource, bool, error) {
	reasons := map[string]*fault.Error{}
	for _, one := range refused {
		reasons[one.Step.id.String()] = one.Reason
	}
	differing, more, err := r.changes(ctx, v, r.target, now)
	return convertAll(differing, func(c *adminv1.ResourceChange) *adminv1.SkippedResource {
		reason := reasons[c.GetResource().GetId()]
		if reason == nil {
			reason = left(c)
		}
		return &adminv1.SkippedResource{Resource: c.GetResource(), Reason: reason.Reason, Message: reason.Message, Fields: c.GetFields()}
	}), more, err
}

// left says why a step that was made leaves something, or why there was none.
func left(c *adminv1.ResourceChange) *fault.Error {
	kind := c.GetResource().GetKind()
	switch kind {
	case "key", "alert_channel", "provider", "gateway":
		return secretLeft(c.GetFields())
	case "budget":
		return fault.Because(fault.Precondition, "raise_kept", "a raise was granted for a time and ends by itself; raise the budget anew for another")
	case "rollout":
		return fault.Because(fault.Precondition, "not_configuration", "a revert steers no rollout: what it changes is rolled out itself; GoBack and GoForward pin and unpin a gateway")
	case "organization":
		return fault.Because(fault.Precondition, "not_configuration", "suspensions are the operator's; ask the operator of the installation")
	}
	if c.GetAction() == adminv1.ChangeAction_CHANGE_ACTION_REMOVED {
		return neverRevived(kind)
	}
	return notConfiguration()
}

// secretLeft says why the secret of something, or what tells of it, is not as it was.
func secretLeft(fields []*adminv1.FieldChange) *fault.Error {
	for _, f := range fields {
		if f.GetAfter() == nil {
			return fault.Because(fault.Precondition, "secret_gone", "a revert brings no secret back (%s): it may have been taken away for a reason; set it anew", f.GetPath())
		}
	}
	return fault.Because(fault.Precondition, "secret_kept", "it keeps its present secret: the one before may have been replaced for a reason")
}

func notConfiguration() *fault.Error {
	return fault.Because(fault.Precondition, "not_configuration",
		"a revert neither gives authority nor takes it: people, service accounts, tokens, agents and roles stay as they are; change them by their own calls")
}

func neverRevived(kind string) *fault.Error {
	return fault.Because(fault.Precondition, "never_revived", "what was revoked or ended of the kind %s never comes back; make another one", kind)
}
