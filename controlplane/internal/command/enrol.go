package command

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// EnrolAgent lets an agent join with an enrolment token. Said again with the same
// token and public key it answers the same and uses the token once. A token that
// opens nothing is an Unauthenticated fault with one of gateway's reasons.
func (r *Runner) EnrolAgent(ctx context.Context, tokenSHA256 [sha256.Size]byte, publicKey []byte, name string) (gateway.Agent, error) {
	organization, tokenID, ok, err := r.store.EnrolmentTokenOwner(ctx, tokenSHA256)
	if err != nil {
		return gateway.Agent{}, err
	}
	if !ok {
		return gateway.Agent{}, gateway.UnknownToken()
	}
	id, err := uuid.NewV7()
	if err != nil {
		return gateway.Agent{}, fmt.Errorf("make agent id: %w", err)
	}
	var known *gateway.Agent
	origin := Origin{Organization: organization, Actor: "enrolment_token:" + tokenID.String()}
	recorded, err := r.Commit(ctx, origin, func(ctx context.Context, v readmodel.View) (Plan, error) {
		token, err := readmodel.EnrolmentTokens.Find(ctx, v, tokenID)
		if err != nil {
			return Plan{}, err
		}
		if known, err = agentWith(ctx, v, publicKey); err != nil {
			return Plan{}, err
		}
		changes, err := token.Enrol(gateway.Enrolment{AgentID: id, PublicKey: publicKey, Name: name, Now: time.Now(), Known: known})
		return Plan{Changes: changes}, err
	})
	if err != nil {
		return gateway.Agent{}, err
	}
	return joined(known, recorded)
}

func joined(known *gateway.Agent, recorded []eventlog.Event) (gateway.Agent, error) {
	if known != nil {
		return *known, nil
	}
	return gateway.ApplyAgent(gateway.Agent{}, recorded[0])
}

func agentWith(ctx context.Context, v readmodel.View, publicKey []byte) (*gateway.Agent, error) {
	found, err := readmodel.Agents.All(ctx, v, readmodel.Match{Column: "public_key", Value: publicKey})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
