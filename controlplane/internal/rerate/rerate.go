// Package rerate decides about repetitions of the pricing of usage, and what each attempt of
// the past costs by another price book: exactly, or not at all. Amounts are nano-dollars. It
// knows no clock and no I/O; package rerating carries it out.
package rerate

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Longest is how much usage one re-rate covers, which is what is kept.
const Longest = 400 * 24 * time.Hour

// Rerate is one repetition as the log has it.
type Rerate struct {
	ID uuid.UUID `json:"id"`
	Settings
	CreatedAt time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Settings are what the outcome follows from. Times are whole microseconds.
type Settings struct {
	// Requests that began at or after From and before Until.
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	// ProjectID, ProviderID and Model restrict it; zero: all.
	ProjectID  uuid.UUID `json:"project_id,omitzero"`
	ProviderID uuid.UUID `json:"provider_id,omitzero"`
	Model      string    `json:"model,omitempty"`
	Book       Book      `json:"book"`
	// CoveredUntil: rows that were stored by then, by the analytics store's clock.
	CoveredUntil time.Time `json:"covered_until"`
	// PriceUnpriced: attempts that had no price, or another model's, get one.
	PriceUnpriced bool   `json:"price_unpriced,omitempty"`
	Reason        string `json:"reason"`
}

// Book names prices: a built-in book, and the version of the log whose overrides count; 0:
// there are none.
type Book struct {
	Builtin   string `json:"builtin"`
	Overrides int64  `json:"overrides,omitempty"`
}

// String is the name that attempts have of it.
func (b Book) String() string {
	if b.Overrides == 0 {
		return b.Builtin
	}
	return fmt.Sprintf("%s+o%d", b.Builtin, b.Overrides)
}
