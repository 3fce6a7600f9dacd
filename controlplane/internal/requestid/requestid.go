// Package requestid gives every HTTP request a name that its answer and the log
// share. Two ids go by that name, and they have nothing to do with each other:
//
//   - The header X-Request-Id, which is this package's: one HTTP request, one id,
//     a retry has another. It finds the log lines of a call, and is the reference
//     of an internal error. It changes nothing about what the call does.
//   - The field mutation.request_id in the body of a mutating RPC: one intended
//     change, one id, a retry has the same. It makes the retry safe, is kept with
//     the events of the change, and belongs to package command.
package requestid

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

// Header carries the id, in requests and in answers.
const Header = "X-Request-Id"

// maxLength holds the ids of the tracers and proxies that we know of.
const maxLength = 128

type contextKey struct{}

// Handler puts the caller's id into the context and into the answer. An id that
// is missing, too long or of other characters than ids have is replaced: it goes
// into logs, which must not be written by strangers.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(Header)
		if !valid(id) {
			id = New()
		}
		w.Header().Set(Header, id)
		next.ServeHTTP(w, r.WithContext(With(r.Context(), id)))
	})
}

// With returns a context that carries the id.
func With(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// From returns the context's id; outside of an HTTP request it is empty.
func From(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
}

// New makes an id: 16 hexadecimal digits.
func New() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	return hex.EncodeToString(b[:])
}

func valid(id string) bool {
	return id != "" && len(id) <= maxLength && !strings.ContainsFunc(id, foreign)
}

// foreign tells what is in none of: UUIDs, ULIDs, base64, "Root=1-67-89", "a:b:c".
func foreign(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("-_.:/+=@", r)
}
