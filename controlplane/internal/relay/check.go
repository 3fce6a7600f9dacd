package relay

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// checked is a batch that the agent it names did sign.
type checked struct {
	agent   string // whose partition it is for
	value   []byte
	records int64
}

// check returns the batches before the first that is not to be taken, and why that is so.
func (h *Handler) check(ctx context.Context, caller gateway.Agent, batches []*usagev1.SignedBatch) (good []checked, refused error) {
	keys := h.keys(ctx, caller)
	for i, signed := range batches {
		header, err := batch.Verify(signed, keys)
		if err != nil {
			return good, refusal(i, err)
		}
		value, err := batch.Value(signed)
		if err != nil {
			return good, refusal(i, err)
		}
		good = append(good, checked{
			agent: header.GetAgentId(), value: value, records: header.GetLastSeq() - header.GetFirstSeq() + 1,
		})
	}
	return good, nil
}

// keys finds the key of the agent that a header names: the caller's own, or that of a
// former agent, each looked up once.
func (h *Handler) keys(ctx context.Context, caller gateway.Agent) batch.KeyFunc {
	known := map[string]gateway.Agent{caller.ID.String(): caller}
	return func(header *usagev1.BatchHeader) (ed25519.PublicKey, error) {
		name := header.GetAgentId()
		found, ok := known[name]
		if !ok {
			var err error
			if found, err = h.former(ctx, caller, name); err != nil {
				return nil, err
			}
			known[name] = found
		}
		return found.PublicKey, nil
	}
}

var errStranger = errors.New("no agent of this organization; an agent pushes its own batches, and those of the agents that had its state folder before")

// former returns an agent that may have had the caller's state folder before. Of other
// organizations' agents it says what it says of those that never were.
func (h *Handler) former(ctx context.Context, caller gateway.Agent, name string) (gateway.Agent, error) {
	id, err := uuid.Parse(name)
	if err != nil || id.String() != name { // the name is the key of the record
		return gateway.Agent{}, fmt.Errorf("%w: agent id", batch.ErrMalformed)
	}
	found, err := h.Registry.Agent(ctx, id)
	if fault.Is(err, fault.NotFound) || err == nil && found.OrganizationID != caller.OrganizationID {
		return gateway.Agent{}, errStranger
	}
	if err != nil {
		return gateway.Agent{}, unknown(err)
	}
	return found, h.regions.check(ctx, found)
}
