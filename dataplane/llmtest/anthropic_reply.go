package llmtest

import (
	"net/http"
)

// serve answers and writes the account, also when the connection is cut.
func (m *messageReply) serve(w http.ResponseWriter, pace pace) {
	defer m.settle(interrupted)
	if pace.sleep(m.delay) != nil || m.refused(w) {
		return
	}
	m.generated = m.prompt
	answer := m.whole
	if m.request.Stream {
		answer = m.stream
	}
	if err := answer(w, pace); err == nil {
		m.settle(completed)
	}
}

// settle writes the account once: the first outcome counts.
func (m *messageReply) settle(result outcome) {
	if !m.settled {
		m.ledger.add(m.request.Model, result, m.generated)
		m.settled = true
	}
}

// refused serves the faults that stand instead of an answer, which cost nothing.
func (m *messageReply) refused(w http.ResponseWriter) bool {
	kind := m.fault.Kind
	if kind == ErrorEvent && !m.request.Stream {
		kind = ErrorBody
	}
	if kind != Status && kind != ErrorBody && kind != ContentType {
		return false
	}
	m.settle(failed)
	switch kind {
	case Status:
		writeAnthropicError(w, m.fault.Status, anthropicStatusError(w.Header(), m.fault))
	case ErrorBody:
		writeAnthropicError(w, http.StatusOK, anthropicMidway)
	case ContentType:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Just a moment...</title><p>Checking your connection.\n"))
	}
	return true
}

// generate counts one token of a block.
func (m *messageReply) generate(block *messageBlock) {
	if block.kind == "thinking" || block.kind == "redacted_thinking" {
		m.generated.Reasoning++
	} else {
		m.generated.Output++
	}
}

// whole sends the answer as one JSON body.
func (m *messageReply) whole(w http.ResponseWriter, pace pace) error {
	if m.fault.Kind == Stall {
		return pace.stall()
	}
	for i := range m.blocks {
		for range m.blocks[i].pieces {
			if err := pace.sleep(m.tokenDelay); err != nil {
				return err
			}
			m.generate(&m.blocks[i])
		}
	}
	body := m.body()
	w.Header().Set("Content-Type", "application/json")
	return sendWhole(w, body, m.fault, m.settle)
}
