package fleet

import (
	"context"
	"time"

	"github.com/google/uuid"
)

const (
	// capabilityAsk of agents that answer what they are asked.
	capabilityAsk = 4
	// MaxAsks of one organization wait for answers at once.
	MaxAsks = 10
	// maxTries is how many agents are asked where none was named.
	maxTries = 2
	// askLife is how long an ask is kept, whoever still waits for it.
	askLife = 15 * time.Second
)

// AskRef names an ask.
type AskRef struct{ OrganizationID, ID uuid.UUID }

// Asking is a question for an agent of a gateway.
type Asking struct {
	AskRef
	GatewayID uuid.UUID
	// AgentID is uuid.Nil where any of the gateway will do.
	AgentID uuid.UUID
	// Question is an encoded weir.agent.v1.Ask.
	Question []byte
}

// OpenAsk waits for an agent to take it.
type OpenAsk struct {
	Asking
	// Tried are agents that took it and did not answer.
	Tried []uuid.UUID
}

// AskTaking says which agent has an ask.
type AskTaking struct {
	AskRef
	AgentID uuid.UUID
}

// AskState is how far an ask has come.
type AskState struct {
	// OpenFor is how long it has waited for an agent; TakenFor, how long the agent
	// TakenBy (uuid.Nil: none) has had it.
	OpenFor, TakenFor time.Duration
	TakenBy           uuid.UUID
	Tried             []uuid.UUID
	// Unfit says of connected agents, by their id, why they can't be asked.
	Unfit map[string]string
	// Answer is an encoded weir.agent.v1.AnswerRequest of AnsweredBy; nil: none yet.
	Answer     []byte
	AnsweredBy uuid.UUID
}

// Asks is where those who have agents' streams find what agents are asked.
type Asks interface {
	// Open lists, over all organizations, what waits for an agent.
	Open(ctx context.Context) ([]OpenAsk, error)
	// Take gives asks to agents; it returns those that nobody else had taken.
	Take(ctx context.Context, takings []AskTaking) ([]AskRef, error)
	// Note keeps why connected agents can't be asked.
	Note(ctx context.Context, ask AskRef, unfit map[string]string) error
	// PutBack opens an ask again that the agent has not answered.
	PutBack(ctx context.Context, taking AskTaking) error
	// Answer keeps the first answer of an agent that took the ask, then or now; false: the
	// ask is over, or it never took it.
	Answer(ctx context.Context, by AskTaking, answer []byte) (bool, error)
	// Forget removes asks that nobody waits for any more.
	Forget(ctx context.Context) error
}

// AskDesk is where those who ask leave questions and find answers.
type AskDesk interface {
	// Put opens an ask; false: MaxAsks of the organization are open.
	Put(ctx context.Context, asking Asking) (bool, error)
	// Look finds an ask; a NotFound fault where it is over.
	Look(ctx context.Context, ask AskRef) (AskState, error)
	PutBack(ctx context.Context, taking AskTaking) error
	Drop(ctx context.Context, ask AskRef) error
}
