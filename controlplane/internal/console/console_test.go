package console_test

import (
	"compress/gzip"
	"io"
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

// The scripts are three times as large as they need to be on the way, and a proxy in front that
// makes them smaller is not to be counted on.
func TestHandler_compresses(t *testing.T) {
	script := strings.Repeat("export const answer = 42;\n", 1000)
	handler := console.Handler(fstest.MapFS{"index.html": {}, "assets/app-1a2.js": {Data: []byte(script)}}, "")
	for takes, smaller := range map[string]bool{"gzip, br": true, "": false, "gzip;q=0": false} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/assets/app-1a2.js", nil)
		r.Header.Set("Accept-Encoding", takes)
		handler.ServeHTTP(w, r)
		body := io.Reader(w.Body)
		if h := w.Header(); h.Get("Vary") != "Accept-Encoding" || !strings.HasPrefix(h.Get("Content-Type"), "text/javascript") || !strings.Contains(h.Get("Cache-Control"), "immutable") {
			t.Errorf("%q: %v", takes, h)
		}
		if smaller {
			if w.Body.Len() > len(script)/10 || w.Header().Get("Content-Encoding") != "gzip" {
				t.Fatalf("%q: %d of %d bytes, %v", takes, w.Body.Len(), len(script), w.Header())
			}
			unzipped, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = unzipped
		}
		if got, err := io.ReadAll(body); err != nil || string(got) != script {
			t.Errorf("%q: %d bytes, %v", takes, len(got), err)
		}
	}
}
