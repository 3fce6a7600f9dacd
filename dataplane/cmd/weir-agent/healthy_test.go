package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthy(t *testing.T) {
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			w.Write([]byte("ok\n"))
			return
		}
		http.Error(w, "no policy yet", http.StatusServiceUnavailable)
	}))
	gone := httptest.NewServer(nil)
	gone.Close()
	t.Setenv("HTTP_PROXY", gone.URL)
	address := strings.TrimPrefix(agent.URL, "http://")
	everywhere := strings.Replace(address, "127.0.0.1", "0.0.0.0", 1)
	for name, test := range map[string]struct {
		ask        healthy
		out, fault string
	}{
		"up":                     {healthy{AdminListen: address}, "ok\n", ""},
		"listens_everywhere":     {healthy{AdminListen: everywhere}, "ok\n", ""},
		"not_ready":              {healthy{AdminListen: address, Ready: true}, "", "the agent says: no policy yet"},
		"another_address_is_not": {healthy{AdminListen: strings.TrimPrefix(gone.URL, "http://")}, "", "the agent does not answer where WEIR_ADMIN_LISTEN says"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			err := test.ask.Run(&out)
			if out.String() != test.out || (err == nil) != (test.fault == "") || err != nil && !strings.Contains(err.Error(), test.fault) {
				t.Errorf("%q, %v; want %q, %q", out.String(), err, test.out, test.fault)
			}
		})
	}
	agent.Close()
}
