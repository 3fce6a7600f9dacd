// Package console serves the built web files. It knows nobody and no data: the
// pages ask the API.
package console

import (
	"bytes"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"
)

const (
	policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; " +
		"frame-ancestors 'none'; form-action 'self' "
	notBuilt = "The console is not part of this build. Build it with `make web`, then build the control plane again.\n"
)

// Handler serves files: index.html for every path that names no file, so that
// deep links work, and everything under assets/ for ever, since its names change
// with its content. Logging out is a form that ends at the identity provider,
// whose origin (scheme://host) is named here. Texts are compressed for who takes gzip.
func Handler(files fs.FS, provider string) http.Handler {
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, notBuilt, http.StatusNotFound)
		})
	}
	static := gzhttp.GzipHandler(http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the console's pages are only read", http.StatusMethodNotAllowed)
			return
		}
		protect(w.Header(), provider)
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		switch {
		case strings.HasPrefix(name, "assets/"):
			serveAsset(w, r, files, static, name)
		case isFile(files, name) && name != "index.html":
			static.ServeHTTP(w, r)
		default:
			w.Header().Set("Cache-Control", "no-cache")
			http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(index))
		}
	})
}

func serveAsset(w http.ResponseWriter, r *http.Request, files fs.FS, static http.Handler, name string) {
	if !isFile(files, name) {
		http.NotFound(w, r) // an old page asks for a file of an older build
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	static.ServeHTTP(w, r)
}

func isFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular()
}

func protect(h http.Header, provider string) {
	h.Set("Content-Security-Policy", policy+provider)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
