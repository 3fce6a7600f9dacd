// Package alert has what organizations are told of: what an alert says, how it is raised
// with whatever noticed it, and what is known of its deliveries. It sends nothing: that is
// package courier's. See docs/decisions/021.
package alert

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Kind of an alert, as messages have it for their type.
type Kind string

// What there are alerts of.
const (
	// OfBudget: what a budget's window has spent reached one of the budget's percents.
	OfBudget Kind = "budget.threshold"
	// OfSpend: a project spends much more than at the same hour of the weeks before.
	OfSpend Kind = "spend.anomaly"
	// OfUnpriced: a model was used that has no price.
	OfUnpriced Kind = "usage.unpriced"
	// OfTest: somebody asked for it.
	OfTest Kind = "test"
)

// Alert is one, as it is kept.
type Alert struct {
	ID       uuid.UUID
	Kind     Kind
	RaisedAt time.Time
	// Body is the message's: JSON, the same to each channel at each attempt.
	Body string
	// many: there may be any number of its like. It is not stored, but follows from the body.
	many bool
}

// message is what a body says.
type message struct {
	Type      Kind      `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      Data      `json:"data"`
}

// Data is what a message tells; of the last four there is one, by the kind. Money is
// nano-dollars, in decimal strings.
type Data struct {
	OrganizationID uuid.UUID  `json:"organization_id"`
	AlertID        uuid.UUID  `json:"alert_id"`
	Budget         *Threshold `json:"budget_threshold,omitempty"`
	Spend          *Anomaly   `json:"spend_anomaly,omitempty"`
	Unpriced       *Unpriced  `json:"unpriced_usage,omitempty"`
	Test           *Test      `json:"test,omitempty"`
}

// Threshold is what a budget's window had spent when it was noticed.
type Threshold struct {
	BudgetID uuid.UUID `json:"budget_id"`
	Budget   string    `json:"budget"`
	// Mode is hard, soft or shadow.
	Mode    string `json:"mode"`
	Percent int32  `json:"percent"`
	// Subject is the end user or the label's value, where the budget counts each apart.
	Subject string `json:"subject,omitempty"`
	// Window by its id; of a rolling one, the part that was the last.
	Window string `json:"window"`
	// StartsAt and EndsAt are absent where the window is for ever.
	StartsAt *time.Time `json:"starts_at,omitempty"`
	EndsAt   *time.Time `json:"ends_at,omitempty"`
	// LimitNanoUSD has raises and what was carried over in it.
	LimitNanoUSD int64 `json:"limit_nano_usd,string"`
	SpentNanoUSD int64 `json:"spent_nano_usd,string"`
}

// Anomaly is an hour of a project's that costs more than is usual.
type Anomaly struct {
	ProjectID uuid.UUID `json:"project_id"`
	// Hour is its begin.
	Hour         time.Time `json:"hour"`
	SpentNanoUSD int64     `json:"spent_nano_usd,string"`
	// UsualNanoUSD is the median of the same hour of the weeks before, of which there are
	// Weeks; more than BoundNanoUSD is no chance.
	UsualNanoUSD int64 `json:"usual_nano_usd,string"`
	BoundNanoUSD int64 `json:"bound_nano_usd,string"`
	Weeks        int   `json:"weeks"`
}

// Unpriced is what a model without a price was used for.
type Unpriced struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	// Day is that of UTC on which it was used last, and not told: From and To bound what is
	// counted.
	Day      time.Time `json:"-"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Requests int64     `json:"requests,string"`
	// InputTokens and OutputTokens are of its attempts that have no price.
	InputTokens  int64 `json:"input_tokens,string"`
	OutputTokens int64 `json:"output_tokens,string"`
}

// Test names the channel that it goes to.
type Test struct {
	AlertChannelID uuid.UUID `json:"alert_channel_id"`
	AlertChannel   string    `json:"alert_channel"`
}

// of makes the alert that says this. What key names is raised once in an organization.
func of(organization uuid.UUID, kind Kind, at time.Time, key string, d Data) (Alert, error) {
	a := Alert{
		ID: uuid.NewSHA1(organization, []byte(string(kind)+"\x00"+key)), Kind: kind, RaisedAt: at.UTC(),
		many: d.Test != nil || d.Budget != nil && d.Budget.Subject != "",
	}
	d.OrganizationID, d.AlertID = organization, a.ID
	body, err := json.Marshal(message{kind, a.RaisedAt.Truncate(time.Millisecond), d})
	if err != nil {
		return Alert{}, fmt.Errorf("write alert %s: %w", kind, err)
	}
	a.Body = string(body)
	return a, nil
}

// Alert is raised once for each budget, subject, window and percent.
func (t Threshold) Alert(organization uuid.UUID, at time.Time) (Alert, error) {
	return of(organization, OfBudget, at, fmt.Sprintf("%s %d %s\x00%s", t.BudgetID, t.Percent, t.Window, t.Subject), Data{Budget: &t})
}

// Alert is raised once for each project and hour.
func (s Anomaly) Alert(organization uuid.UUID, at time.Time) (Alert, error) {
	return of(organization, OfSpend, at, fmt.Sprintf("%s %d", s.ProjectID, s.Hour.Unix()), Data{Spend: &s})
}

// Alert is raised once for each provider, model and day of UTC.
func (u Unpriced) Alert(organization uuid.UUID, at time.Time) (Alert, error) {
	return of(organization, OfUnpriced, at, u.Day.UTC().Format(time.DateOnly)+"\x00"+u.Provider+"\x00"+u.Model, Data{Unpriced: &u})
}

// Alert is another one each time.
func (t Test) Alert(organization uuid.UUID, at time.Time) (Alert, error) {
	return of(organization, OfTest, at, uuid.NewString(), Data{Test: &t})
}

// Data returns what the alert says.
func (a Alert) Data() (Data, error) {
	var m message
	if err := json.Unmarshal([]byte(a.Body), &m); err != nil {
		return Data{}, fmt.Errorf("read alert %s: %w", a.ID, err)
	}
	return m.Data, nil
}
