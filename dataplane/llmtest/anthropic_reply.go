package llmtest

import (
	"net/http"
)

func (m *messageReply) refuse(w http.ResponseWriter, status int) {
	e := anthropicMidway
	if status != http.StatusOK {
		e = anthropicStatusError(w.Header(), m.fault)
	}
	writeAnthropicError(w, status, e)
}

// generate counts one token of a block.
func (m *messageReply) generate(block *messageBlock) {
	if block.kind == "thinking" || block.kind == "redacted_thinking" {
		m.generated.Reasoning++
	} else {
		m.generated.Output++
	}
}

// count generates all tokens, in their time.
func (m *messageReply) count(pace pace) error {
	for i := range m.blocks {
		for range m.blocks[i].pieces {
			if err := pace.sleep(m.tokenDelay); err != nil {
				return err
			}
			m.generate(&m.blocks[i])
		}
	}
	return nil
}

// whole sends the answer as one JSON body.
func (m *messageReply) whole(w http.ResponseWriter, pace pace) error {
	if err := m.count(pace); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return sendWhole(w, m.body(), m.fault, m.settle)
}
