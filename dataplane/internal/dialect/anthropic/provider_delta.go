package anthropic

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// readEvent reads an event. Most of a stream are deltas: they are read by one pass and
// without reflection, which makes an event a third as dear.
func readEvent(data []byte) (wireEvent, error) {
	if event, ok := readDelta(data); ok {
		return event, nil
	}
	var event wireEvent
	if err := json.Unmarshal(data, &event); err != nil {
		return event, fmt.Errorf("read an event: %w", err)
	}
	return event, nil
}

// readDelta is not ok where an event is anything else, or has what only json.Unmarshal
// knows what to make of: a field twice, or in other capitals.
func readDelta(data []byte) (event wireEvent, ok bool) {
	var space, inner [6]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], data, nil)
	if err != nil || len(fields) != 3 || string(find(fields, "type")) != `"content_block_delta"` {
		return event, false
	}
	event.Type = "content_block_delta"
	if event.Index, err = strconv.Atoi(string(find(fields, "index"))); err != nil {
		return event, false
	}
	fields, err = jsonscan.Fields(inner[:0], find(fields, "delta"), nil)
	if err != nil || len(fields) != 2 {
		return event, false
	}
	delta := &event.Delta
	switch kind := find(fields, "type"); string(kind) {
	case `"text_delta"`:
		delta.Type = "text_delta"
		return event, unquote(&delta.Text, find(fields, "text"))
	case `"thinking_delta"`:
		delta.Type = "thinking_delta"
		return event, unquote(&delta.Thinking, find(fields, "thinking"))
	case `"input_json_delta"`:
		delta.Type = "input_json_delta"
		return event, unquote(&delta.PartialJSON, find(fields, "partial_json"))
	}
	return event, false
}

// unquote is false for what is no string.
func unquote(text *string, value []byte) bool {
	*text = jsonscan.Text(value)
	return len(value) > 1 && value[0] == '"'
}
