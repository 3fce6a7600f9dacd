package chat

import "time"

// Event is one step of a streamed answer. Exactly one of its fields is set. Steps of a
// choice come in order: Begin, then for each part Open, Deltas, Close, then End.
type Event struct {
	Begin *Begin
	Open  *Open
	Delta *Delta
	Close *Close
	End   *End
	Usage *Usage
	// Ping keeps the connection alive.
	Ping bool
	// Failure ends the stream.
	Failure *Failure
}

// Begin of the answer.
type Begin struct {
	ID, Model string
	Created   time.Time
}

// Open begins a part of a choice: of Text, Thinking, Redacted (whole), Refusal, Call (ID
// and Name; its arguments follow), or of Image, Audio and Document (whole: Gemini answers
// with files). Index counts the choice's parts from 0.
type Open struct {
	Choice, Index int
	Part          Part
}

// Delta goes on with a part.
type Delta struct {
	Choice, Index int
	// Text is of Text, Thinking and Refusal parts, Arguments of Call parts; Signature is
	// whole.
	Text, Arguments, Signature string
	// Logprobs are OpenAI's object for this delta as it came.
	Logprobs string
}

// Close ends a part.
type Close struct{ Choice, Index int }

// End of a choice.
type End struct {
	Choice   int
	Stop     Stop
	Sequence string
}

// Failure is an upstream's error, in its own words as far as they carry.
type Failure struct {
	// Status of HTTP, or the one that the dialect's error type stands for.
	Status int
	// Type, Code and Param as the upstream wrote them; any may be empty.
	Type, Code, Param string
	Message           string
	// RetryAfter is how long to wait before trying again, where the body says so (Gemini
	// has it there, not in a header); 0: it does not.
	RetryAfter time.Duration
}
