// Package openapi serves the administration API's OpenAPI 3.1 document, which
// "make generate" makes from the protos. It knows nothing of who asks.
package openapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // of the document
	"encoding/hex"
	"net/http"
	"time"
)

//go:embed openapi.json
var document []byte

// Document is the JSON text; it must not be changed.
func Document() []byte { return document }

// Handler answers GET with the document.
func Handler() http.Handler {
	hash := sha256.Sum256(document)
	etag := `"` + hex.EncodeToString(hash[:16]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", etag)
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(document))
	})
}
