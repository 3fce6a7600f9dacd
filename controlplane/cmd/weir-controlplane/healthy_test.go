package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthy(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("asked %s", r.URL.Path)
		}
		http.Error(w, "postgres does not answer", status)
	}))
	ask := healthy{Listen: strings.Replace(strings.TrimPrefix(server.URL, "http://"), "127.0.0.1", "0.0.0.0", 1)}
	if err := ask.Run(t.Context()); err != nil {
		t.Errorf("up: %v", err)
	}
	status = http.StatusServiceUnavailable
	if err := ask.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "the control plane says: postgres does not answer") {
		t.Errorf("red: %v", err)
	}
	server.Close()
	if err := ask.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("gone: %v", err)
	}
}
