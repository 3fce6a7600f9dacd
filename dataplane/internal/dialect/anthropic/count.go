package anthropic

import (
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// CountRequest turns the body of a messages request into that of count_tokens, which
// knows fewer fields and refuses the others.
// Source: https://platform.claude.com/docs/en/api/messages-count-tokens
func CountRequest(body []byte) []byte {
	fields, _ := jsonscan.Fields(nil, body, nil)
	counted := []byte{'{'}
	for _, field := range fields {
		switch string(field.Name) {
		case "model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control":
			if len(counted) > 1 {
				counted = append(counted, ',')
			}
			counted = append(append(append(counted, '"'), field.Name...), `":`...)
			counted = append(counted, field.Value...)
		}
	}
	return append(counted, '}')
}

// ReadCount is how many tokens an answer says were counted. Not ok: it does not say.
func ReadCount(body []byte) (tokens int64, ok bool) {
	fields, err := jsonscan.Fields(nil, body, nil)
	if err != nil {
		return 0, false
	}
	tokens, err = strconv.ParseInt(string(find(fields, "input_tokens")), 10, 64)
	return tokens, err == nil && tokens >= 0
}

// CountAnswer says how many tokens were counted.
func CountAnswer(tokens int64) []byte {
	return append(strconv.AppendInt([]byte(`{"input_tokens":`), tokens, 10), "}\n"...)
}
