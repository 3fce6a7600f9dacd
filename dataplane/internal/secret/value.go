// Package secret turns credential references (env://NAME, file:///path) into
// values. It owns their refresh and keeps them out of everything that prints; it
// does not decide which reference may be used where (snapshot.Origins does), and a
// symlink inside of an allowed folder is the operator's word on what it leads to.
// Values are in memory only: after a restart a source that is away has none.
package secret

import "log/slog"

const redacted = "[redacted]"

// Value is a credential. Whatever formats, logs or marshals it gets
// "[redacted]"; only Reveal gives the text.
type Value struct{ text string }

// NewValue makes a value of a text.
func NewValue(text string) Value { return Value{text: text} }

// Reveal returns the text, for the header that carries it and nothing else.
func (v Value) Reveal() string { return v.text }

func (Value) String() string { return redacted }

// GoString hides the text from %#v.
func (Value) GoString() string { return redacted }

// LogValue hides the text from slog.
func (Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the text from encoding/json.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText hides the text from other encoders.
func (Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }
