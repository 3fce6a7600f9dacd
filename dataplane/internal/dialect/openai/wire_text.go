package openai

import "encoding/json"

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
	for _, part := range parts {
		switch part.Type {
		case "text":
			t.text += part.Text
		case "thinking":
			thinking := wireText{}
			if err := thinking.UnmarshalJSON(part.Thinking); err != nil && len(part.Thinking) > 0 {
				return err
			}
			t.thinking += thinking.text
		default:
			t.lost = true
		}
	}
	return nil
}

// with is the text with more at its end.
func (t *wireText) with(text string) *wireText {
	if t != nil {
		text = t.text + text
	}
	return &wireText{text: text}
}
