package gemini

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

// stops are the reasons why a candidate ended:
// https://ai.google.dev/api/generate-content#FinishReason
// Those that are left out, OTHER among them, say nothing.
var stops = map[string]chat.Stop{
	"STOP":                     chat.StopEnd,
	"MAX_TOKENS":               chat.StopLength,
	"CONTINUATION":             chat.StopPaused,
	"SAFETY":                   chat.StopFiltered,
	"RECITATION":               chat.StopFiltered,
	"LANGUAGE":                 chat.StopFiltered,
	"BLOCKLIST":                chat.StopFiltered,
	"PROHIBITED_CONTENT":       chat.StopFiltered,
	"SPII":                     chat.StopFiltered,
	"MODEL_ARMOR":              chat.StopFiltered,
	"IMAGE_SAFETY":             chat.StopFiltered,
	"IMAGE_PROHIBITED_CONTENT": chat.StopFiltered,
	"IMAGE_RECITATION":         chat.StopFiltered,
}

const malformedCall = "MALFORMED_FUNCTION_CALL"

// stopOf reads a reason. That tools are called is to be seen in the parts only.
func stopOf(reason string, calls bool) chat.Stop {
	stop := stops[reason]
	if stop == chat.StopEnd && calls {
		return chat.StopTools
	}
	return stop
}

// reasonOf writes a reason. There is none for a turn to be sent back as it is: that
// takes a token of Google's.
func reasonOf(stop chat.Stop) string {
	switch stop {
	case chat.StopEnd, chat.StopSequence, chat.StopTools:
		return "STOP"
	case chat.StopLength:
		return "MAX_TOKENS"
	case chat.StopFiltered:
		return "SAFETY"
	}
	return "OTHER"
}
