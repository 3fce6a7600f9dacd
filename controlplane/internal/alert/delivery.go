package alert

import (
	"time"

	"github.com/google/uuid"
)

// State of a delivery.
type State string

// States of deliveries.
const (
	// Pending: an attempt is due, or under way.
	Pending State = "pending"
	// Accepted: the receiver took it.
	Accepted State = "accepted"
	// Failed: no further attempt is made by itself.
	Failed State = "failed"
)

// Result is what came of an attempt, as it is stored: the first six are those of
// webhook.Delivery.
type Result int32

// What else can come of an attempt.
const (
	// Unknown: it is under way, or the process died.
	Unknown Result = 0
	// SecretMissing: the channel had no secret to sign with.
	SecretMissing Result = 7
	// ChannelDeleted: it was not there any more.
	ChannelDeleted Result = 8
)

// Delivery is one alert on its way to one channel.
type Delivery struct {
	ID, AlertID, ChannelID uuid.UUID
	Kind                   Kind
	State                  State
	// CreatedAt is when the alert was raised; EndedAt zero while pending.
	CreatedAt, EndedAt time.Time
	// DueAt is when the next attempt begins, while pending; none is planned after ExpiresAt.
	DueAt, ExpiresAt time.Time
	Attempts         []Attempt
}

// Attempt is one sending of the message.
type Attempt struct {
	Number  int32
	BeganAt time.Time
	Result  Result
	// Status of the answer; 0: there was none.
	Status   int32
	Duration time.Duration
}

// MessageID is the webhook-id of all of its attempts.
func (d Delivery) MessageID() string { return "msg_" + d.ID.String() }
