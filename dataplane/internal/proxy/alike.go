package proxy

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// maxAlike is how much of a text requests are compared by, in bytes, and maxOpening of how
// many messages.
const (
	maxAlike   = 4 << 10
	maxOpening = 8
)

// alike is the same for requests that a sticky route keeps together; false: this one goes
// anywhere. It is made of the request, kept nowhere and the same in every agent.
func (e *exchange) alike() (uint64, bool) {
	sticky := e.route.Sticky
	if sticky == nil || e.tokens() < sticky.MinTokens {
		return 0, false
	}
	switch sticky.By {
	case policyv1.Sticky_BY_HEADER:
		return alikeBy(strings.Join(e.r.Header[sticky.Header], ", "))
	case policyv1.Sticky_BY_END_USER:
		return alikeBy(e.words.User)
	case policyv1.Sticky_BY_KEY:
		return alikeBy(e.record.KeyId)
	}
	if e.request.Form {
		return 0, false
	}
	return alikePrompt(e.body.bytes)
}

func alikeBy(value string) (uint64, bool) {
	return digest(0, []byte(value)), value != ""
}

// digest goes on from one with the beginning of another text.
func digest(from uint64, text []byte) uint64 {
	sum := sha256.Sum256(text[:min(len(text), maxAlike)])
	return from*31 + binary.LittleEndian.Uint64(sum[:])
}

// alikePrompt is of what a prompt begins with, in any dialect: its system text, tools and
// first message. It stays the same as a conversation goes on.
func alikePrompt(body []byte) (alike uint64, found bool) {
	var space [64]jsonscan.Field
	fields, _ := jsonscan.Fields(space[:0], body, nil) // it was read before
	for _, field := range fields {
		switch string(field.Name) {
		case "system", "instructions", "systemInstruction", "system_instruction", "tools", "prompt":
			alike, found = digest(alike, field.Value), true
		case "messages", "contents", "input":
			alike, found = opening(alike, field.Value), true
		}
	}
	return alike, found
}

// opening goes on with messages up to the first one that says nothing about how to answer,
// the beginning of each; what is no list is one.
func opening(alike uint64, messages []byte) uint64 {
	count := 0
	jsonscan.Elements(messages, func(message []byte, _ int) bool {
		alike = digest(alike, message)
		count++
		return count < maxOpening && directs(message)
	})
	if count == 0 {
		return digest(alike, messages)
	}
	return alike
}

// directs tells messages of the system, or developer, by their role.
func directs(message []byte) bool {
	var space [8]jsonscan.Field
	fields, _ := jsonscan.Fields(space[:0], message, nil)
	for _, field := range fields {
		if string(field.Name) == "role" {
			return bytes.Equal(field.Value, []byte(`"system"`)) || bytes.Equal(field.Value, []byte(`"developer"`))
		}
	}
	return false
}
