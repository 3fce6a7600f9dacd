package openai

import (
	"encoding/json"
	"strings"
)

// wireText is the content of an answer: a string or, with Mistral's models that reason,
// parts, of which some are thinking.
// Source: https://docs.mistral.ai/capabilities/reasoning/
type wireText struct {
	text, thinking string
	// lost: there were parts of other kinds.
	lost bool
}

// MarshalJSON writes a string.
func (t *wireText) MarshalJSON() ([]byte, error) { return json.Marshal(t.text) }

// UnmarshalJSON reads either form.
func (t *wireText) UnmarshalJSON(raw []byte) error {
	if len(raw) == 0 || raw[0] != '[' {
		return json.Unmarshal(raw, &t.text)
	}
	var parts []struct {
		Type     string          `json:"type"`
		Text     string          `json:"text"`
		Thinking json.RawMessage `json:"thinking"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return err
	}
	var text, thought strings.Builder
	for _, part := range parts {
		switch part.Type {
		case "text":
			text.WriteString(part.Text)
		case "thinking":
			thinking := wireText{}
			if err := thinking.UnmarshalJSON(part.Thinking); err != nil && len(part.Thinking) > 0 {
				return err
			}
			thought.WriteString(thinking.text)
		default:
			t.lost = true
		}
	}
	t.text, t.thinking = text.String(), thought.String()
	return nil
}
