package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Reasons of asks without an answer.
const (
	ReasonNoAgent      = "no_agent_can_answer"
	ReasonAgentSilent  = "agent_silent"
	ReasonAgentRefused = "agent_refused"
	ReasonTooManyAsks  = "too_many_asks"
)

const (
	// agentTime is what an agent has for an answer.
	agentTime = 6 * time.Second
	// shortestLook and longestLook are between two looks for the answer.
	shortestLook = 20 * time.Millisecond
	longestLook  = 250 * time.Millisecond
)

// Asker asks agents, wherever their streams are, and waits. Its zero times mean the
// defaults in brackets.
type Asker struct {
	Desk AskDesk
	Log  *slog.Logger
	// Grace is how long an ask waits for an agent to take it [1 s].
	Grace time.Duration
	// Patience is how long an agent has it before another is asked [7 s].
	Patience time.Duration
}

// Question is what is asked of whom.
type Question struct {
	OrganizationID, GatewayID uuid.UUID
	// AgentID is uuid.Nil where any of the gateway will do.
	AgentID uuid.UUID
	// Ask has a question; its id and time are set here.
	Ask *agentv1.Ask
}

// Answered is what an agent said.
type Answered struct {
	AgentID uuid.UUID
	Answer  *agentv1.AnswerRequest
}

// Ask waits up to 15 s. Its faults say why there is no answer, by the reasons above.
func (a *Asker) Ask(ctx context.Context, q Question) (Answered, error) {
	asking, err := newAsking(q)
	if err != nil {
		return Answered{}, err
	}
	put, err := a.Desk.Put(ctx, asking)
	if err != nil {
		return Answered{}, err
	}
	if !put {
		f := fault.Because(fault.Exhausted, ReasonTooManyAsks, "%d questions of the organization wait for agents; wait for their answers", MaxAsks)
		f.RetryAfter = agentTime
		return Answered{}, f
	}
	defer a.drop(ctx, asking.AskRef)
	state, err := a.wait(ctx, asking)
	if err != nil {
		return Answered{}, err
	}
	return read(q, state)
}

func newAsking(q Question) (Asking, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Asking{}, fmt.Errorf("make an id: %w", err)
	}
	ask := proto.CloneOf(q.Ask)
	ask.Id, ask.TimeoutMs = id.String(), agentTime.Milliseconds()
	question, err := proto.Marshal(ask)
	if err != nil {
		return Asking{}, fmt.Errorf("encode an ask: %w", err)
	}
	return Asking{AskRef: AskRef{q.OrganizationID, id}, GatewayID: q.GatewayID, AgentID: q.AgentID, Question: question}, nil
}

func (a *Asker) drop(ctx context.Context, ask AskRef) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putBackTimeout)
	defer cancel()
	if err := a.Desk.Drop(ctx, ask); err != nil {
		a.Log.Warn("an ask stays until it is swept", "ask_id", ask.ID, "error", err)
	}
}

// wait returns the state with the answer.
func (a *Asker) wait(ctx context.Context, asking Asking) (AskState, error) {
	grace, patience := orElse(a.Grace, time.Second), orElse(a.Patience, agentTime+time.Second)
	began := time.Now()
	for pause := shortestLook; ; pause = min(pause*5/4, longestLook) {
		if !sleep(ctx, pause) {
			return AskState{}, ctx.Err()
		}
		state, err := a.Desk.Look(ctx, asking.AskRef)
		switch {
		case fault.Is(err, fault.NotFound), err == nil && state.Answer == nil && time.Since(began) > askLife:
			return AskState{}, silent("no answer came in %s", askLife)
		case err != nil:
			return AskState{}, err
		case state.Answer != nil:
			return state, nil
		case state.TakenBy == uuid.Nil && state.OpenFor > grace:
			return AskState{}, nobody(asking, state)
		case state.TakenBy == uuid.Nil || state.TakenFor <= patience:
		case asking.AgentID != uuid.Nil || len(state.Tried)+1 >= maxTries:
			return AskState{}, silent("%s asked and did not answer in %s", agents(append(state.Tried, state.TakenBy)), patience)
		default:
			err = a.Desk.PutBack(ctx, AskTaking{asking.AskRef, state.TakenBy})
		}
		if err != nil {
			return AskState{}, err
		}
	}
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func silent(format string, args ...any) error {
	return fault.Because(fault.Unavailable, ReasonAgentSilent, format+"; ask again", args...)
}

// nobody says why no agent has the ask.
func nobody(asking Asking, state AskState) error {
	switch {
	case len(state.Tried) > 0:
		return silent("%s asked and gave no answer, and there is no other to ask", agents(state.Tried))
	case len(state.Unfit) > 0:
		reasons := slices.Sorted(maps.Values(state.Unfit))
		return fault.Because(fault.Precondition, ReasonNoAgent, "no connected agent can be asked: %s", strings.Join(reasons, "; "))
	case asking.AgentID != uuid.Nil:
		return fault.Because(fault.Precondition, ReasonNoAgent, "agent %s is not connected; ask another, or look at it with GetAgent", asking.AgentID)
	}
	return fault.Because(fault.Precondition, ReasonNoAgent, "no agent of the gateway is connected; look at them with ListAgents")
}

func agents(ids []uuid.UUID) string {
	var names []string
	for _, id := range ids {
		names = append(names, "agent "+id.String())
	}
	if len(names) == 1 {
		return names[0] + " was"
	}
	return strings.Join(names, " and ") + " were"
}

var errOddAnswer = errors.New("an agent's answer is none to the question")

// read holds an answer to its question: agents are not of one make with us.
func read(q Question, state AskState) (Answered, error) {
	answer := &agentv1.AnswerRequest{}
	if err := proto.Unmarshal(state.Answer, answer); err != nil {
		return Answered{}, fmt.Errorf("decode an answer: %w", err)
	}
	if refusal := answer.GetRefusal(); refusal != nil {
		f := fault.Because(fault.Precondition, ReasonAgentRefused, "agent %s can't answer: %s", state.AnsweredBy, refusal.GetMessage())
		f.Details = map[string]string{"agent_id": state.AnsweredBy.String(), "agent_reason": refusal.GetReason()}
		return Answered{}, f
	}
	tested := q.Ask.GetProviderTest() != nil && answer.GetProviderTest() != nil
	tried := q.Ask.GetDryRun() != nil && answer.GetDryRun() != nil
	if !tested && !tried {
		return Answered{}, fault.Unanswered(errOddAnswer, ReasonAgentSilent, "agent "+state.AnsweredBy.String()+" answered what was not asked; ask again")
	}
	return Answered{AgentID: state.AnsweredBy, Answer: answer}, nil
}
