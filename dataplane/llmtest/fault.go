package llmtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// FaultHeader carries one fault for the request it stands on, as JSON in the form of Fault.MarshalJSON. It goes
// before the script.
const FaultHeader = "X-Llmtest-Fault"

// Kind says what goes wrong.
type Kind string

const (
	// None changes only the delays and token counts that the fault sets.
	None Kind = ""
	// Status answers with Fault.Status and the dialect's error body.
	Status Kind = "status"
	// Stall goes silent after Fault.After events and keeps the connection. An unstreamed answer never begins.
	Stall Kind = "stall"
	// Cut closes the connection in the middle of the event after Fault.After, or of an unstreamed body.
	Cut Kind = "cut"
	// Malformed puts events that are not valid into the stream after Fault.After, or truncates an unstreamed body.
	Malformed Kind = "malformed"
	// Huge makes one event, or an unstreamed answer, of Fault.Size bytes of text that count as one token.
	Huge Kind = "huge"
	// ErrorEvent ends a stream with the dialect's error event after Fault.After events. Unstreamed: as ErrorBody.
	ErrorEvent Kind = "error_event"
	// ErrorBody answers 200 with an error body in JSON, whether a stream was asked for or not.
	ErrorBody Kind = "error_body"
	// ContentType answers 200 with a page of HTML.
	ContentType Kind = "content_type"
	// Reset closes the connection before the status.
	Reset Kind = "reset"
	// Empty answers 200 and nothing: no byte of a body, no event of a stream.
	Empty Kind = "empty"
	// NoUsage leaves usage out, even if it was asked for.
	NoUsage Kind = "no_usage"
	// NoDone ends a stream properly but without the dialect's end marker.
	NoDone Kind = "no_done"
)

var kinds = map[Kind]bool{
	None: true, Status: true, Stall: true, Cut: true, Malformed: true, Huge: true, ErrorEvent: true,
	ErrorBody: true, ContentType: true, NoUsage: true, NoDone: true, Reset: true, Empty: true,
}

const defaultHugeSize = 8 << 20

// Fault is one scripted deviation.
type Fault struct {
	Kind Kind
	// Model restricts the fault to requests for it; empty fits all.
	Model string
	// Times is how many requests get the fault. Zero means one.
	Times int
	// After is how many whole events, the opening one included, precede what goes wrong.
	After int
	// Status is the code of Kind Status: 400 to 599. Bedrock's ErrorEvent is the exception that it stands for.
	Status int
	// RetryAfter is sent in whole seconds, rounded up, when positive.
	RetryAfter time.Duration
	// Size is the length of a Huge event's text in bytes. Zero means 8 MiB.
	Size int
	// Delay and TokenDelay replace the server's when positive.
	Delay, TokenDelay time.Duration
	// AnswerTokens, CachedTokens and ReasoningTokens replace the server's when positive.
	AnswerTokens, CachedTokens, ReasoningTokens int
	// IgnoreCancel goes on generating, and counting, after the caller went away.
	IgnoreCancel bool
}

type faultForm struct {
	Kind            Kind   `json:"kind,omitempty"`
	Model           string `json:"model,omitempty"`
	Times           int    `json:"times,omitempty"`
	After           int    `json:"after,omitempty"`
	Status          int    `json:"status,omitempty"`
	RetryAfter      string `json:"retry_after,omitempty"`
	Size            int    `json:"size,omitempty"`
	Delay           string `json:"delay,omitempty"`
	TokenDelay      string `json:"token_delay,omitempty"`
	AnswerTokens    int    `json:"answer_tokens,omitempty"`
	CachedTokens    int    `json:"cached_tokens,omitempty"`
	ReasoningTokens int    `json:"reasoning_tokens,omitempty"`
	IgnoreCancel    bool   `json:"ignore_cancel,omitempty"`
}

// MarshalJSON writes durations as Go prints them ("1.5s") and leaves out what is zero.
func (f Fault) MarshalJSON() ([]byte, error) {
	return json.Marshal(faultForm{
		Kind: f.Kind, Model: f.Model, Times: f.Times, After: f.After, Status: f.Status, Size: f.Size,
		RetryAfter: durationText(f.RetryAfter), Delay: durationText(f.Delay), TokenDelay: durationText(f.TokenDelay),
		AnswerTokens: f.AnswerTokens, CachedTokens: f.CachedTokens, ReasoningTokens: f.ReasoningTokens,
		IgnoreCancel: f.IgnoreCancel,
	})
}

// UnmarshalJSON reads the form of MarshalJSON and refuses kinds and numbers that mean nothing.
func (f *Fault) UnmarshalJSON(data []byte) error {
	var form faultForm
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	retryAfter, err1 := parseDuration("retry_after", form.RetryAfter)
	delay, err2 := parseDuration("delay", form.Delay)
	tokenDelay, err3 := parseDuration("token_delay", form.TokenDelay)
	*f = Fault{
		Kind: form.Kind, Model: form.Model, Times: form.Times, After: form.After, Status: form.Status, Size: form.Size,
		RetryAfter: retryAfter, Delay: delay, TokenDelay: tokenDelay,
		AnswerTokens: form.AnswerTokens, CachedTokens: form.CachedTokens, ReasoningTokens: form.ReasoningTokens,
		IgnoreCancel: form.IgnoreCancel,
	}
	return errors.Join(err1, err2, err3, f.validate())
}

func (f Fault) validate() error {
	if !kinds[f.Kind] {
		return fmt.Errorf("unknown kind %q", f.Kind)
	}
	if f.Kind == Status && (f.Status < 400 || f.Status > 599) {
		return fmt.Errorf("status %d is not an error", f.Status)
	}
	if min(f.Times, f.After, f.Size, f.AnswerTokens, f.CachedTokens, f.ReasoningTokens) < 0 {
		return errors.New("a fault's numbers can't be negative")
	}
	return nil
}

func durationText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func parseDuration(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if d < 0 {
		return 0, fmt.Errorf("%s: %s is negative", name, text)
	}
	return d, nil
}

// script is the queue of faults to come.
type script struct {
	mu      sync.Mutex
	pending []Fault
}

func (s *script) add(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, faults...)
}

func (s *script) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = nil
}

func (s *script) snapshot() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Fault{}, s.pending...)
}

// take uses up the first fault that fits the model, or returns the one that changes nothing.
func (s *script) take(model string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, fault := range s.pending {
		if fault.Model != "" && fault.Model != model {
			continue
		}
		if fault.Times > 1 {
			s.pending[i].Times--
		} else {
			s.pending = append(s.pending[:i:i], s.pending[i+1:]...)
		}
		return fault
	}
	return Fault{}
}
