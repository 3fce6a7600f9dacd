package llmtest

import (
	"encoding/json"
	"net/http"
)

// routeControl adds what is about the mock itself: no provider has it, so it needs no key.
func (s *Server) routeControl() {
	s.mux.HandleFunc("GET /_ledger", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Ledger()) })
	s.mux.HandleFunc("DELETE /_ledger", func(w http.ResponseWriter, _ *http.Request) {
		s.ledger.reset()
		w.WriteHeader(http.StatusNoContent)
	})
	s.mux.HandleFunc("GET /_script", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.script.snapshot()) })
	s.mux.HandleFunc("POST /_script", s.appendScript)
	s.mux.HandleFunc("DELETE /_script", func(w http.ResponseWriter, _ *http.Request) {
		s.script.clear()
		w.WriteHeader(http.StatusNoContent)
	})
	s.mux.HandleFunc("GET /_health", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
}

// appendScript takes a JSON list of faults, all or none.
func (s *Server) appendScript(w http.ResponseWriter, r *http.Request) {
	var faults []Fault
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&faults); err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	s.Script(faults...)
	w.WriteHeader(http.StatusNoContent)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
