package chat

import (
	"time"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Answer is a whole answer.
type Answer struct {
	// ID and Model are the upstream's.
	ID, Model string
	// Created is zero where the dialect does not say.
	Created time.Time
	Choices []Choice
	Usage   Usage
	// Lossy names what the upstream wrote and this model has no place for, in its words.
	Lossy Lossy
}

// Choice is one of an answer's alternatives.
type Choice struct {
	Parts []Part
	Stop  Stop
	// Sequence that ended it, with StopSequence.
	Sequence string
	// Logprobs are OpenAI's object as it came; empty: none.
	Logprobs string
}

// Usage of an answer, in disjoint buckets.
type Usage struct {
	// Tokens is nil where the upstream did not say, or said what does not add up.
	Tokens *usagev1.TokenUsage
	// SHA256 of the upstream's own usage object; nil without Tokens.
	SHA256 []byte
	// ServiceTier that served the request; empty: not said.
	ServiceTier string
	// Geo is where it was served, where prices go by that; empty: not said.
	Geo string
	// Unpriced: a part is billed by what is not in Tokens.
	Unpriced bool
}

// Stop is why a choice ended.
type Stop int

const (
	// StopUnknown: the upstream did not say, or in words that are not known.
	StopUnknown Stop = iota
	StopEnd
	StopLength
	StopSequence
	StopTools
	// StopFiltered: a content filter or the model's refusal cut it off.
	StopFiltered
	// StopPaused: a long turn that the caller is to send back to go on.
	StopPaused
)
