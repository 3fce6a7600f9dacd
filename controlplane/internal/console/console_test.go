package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/weirhq/weir/controlplane/internal/console"
)

func TestHandler(t *testing.T) {
	built := fstest.MapFS{
		"index.html":        {Data: []byte("<title>Weir</title>")},
		"favicon.svg":       {Data: []byte("<svg/>")},
		"assets/app-1a2.js": {Data: []byte("run()")},
		".gitkeep":          {},
	}
	for _, c := range []struct {
		name, method, path string
		status             int
		body, cache        string
	}{
		{"the_page", "GET", "/", 200, "<title>Weir", "no-cache"},
		{"a_deep_link", "GET", "/requests/0197?tab=cost", 200, "<title>Weir", "no-cache"},
		{"an_asset_for_ever", "GET", "/assets/app-1a2.js", 200, "run()", "immutable"},
		{"an_asset_of_an_older_build", "GET", "/assets/app-000.js", 404, "", ""},
		{"a_folder_is_not_listed", "GET", "/assets/", 200, "<title>Weir", "no-cache"},
		{"a_file", "GET", "/favicon.svg", 200, "<svg/>", ""},
		{"a_way_out", "GET", "/assets/../../go.mod", 200, "<title>Weir", "no-cache"},
		{"a_write", "POST", "/", 405, "only read", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			console.Handler(built, "https://login.example").ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
				t.Errorf("%d %q, want %d with %q", w.Code, w.Body, c.status, c.body)
			}
			if got := w.Header().Get("Cache-Control"); !strings.Contains(got, c.cache) {
				t.Errorf("Cache-Control %q, want %q", got, c.cache)
			}
			if w.Code == http.StatusOK && !strings.Contains(w.Header().Get("Content-Security-Policy"), "form-action 'self' https://login.example") {
				t.Error("no content security policy")
			}
		})
	}
	t.Run("without_a_build_it_says_so", func(t *testing.T) {
		w := httptest.NewRecorder()
		console.Handler(fstest.MapFS{".gitkeep": {}}, "").ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "make web") {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
}
