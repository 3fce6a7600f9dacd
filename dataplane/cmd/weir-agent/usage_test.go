package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestUsageVia(t *testing.T) {
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) == "kafka" {
			http.Error(w, "usage can't go by \"kafka\"", http.StatusConflict)
			return
		}
		io.WriteString(w, r.Method+" "+r.URL.Path+" "+string(body)+"\n")
	}))
	defer agent.Close()
	for way, want := range map[string]struct{ out, fault string }{
		"":      {"GET /usage/via \n", ""},
		"relay": {"POST /usage/via relay\n", ""},
		"kafka": {"", `the agent says: usage can't go by "kafka"`},
	} {
		var out strings.Builder
		err := (&usageVia{Way: way, AdminListen: strings.TrimPrefix(agent.URL, "http://")}).Run(&out)
		if out.String() != want.out || (err == nil) != (want.fault == "") || err != nil && err.Error() != want.fault {
			t.Errorf("%q: %q, %v", way, out.String(), err)
		}
	}
}
