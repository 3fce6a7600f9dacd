package fleet

import (
	"crypto/subtle"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/proto/contract/agentjwt"
)

// Bounds of calls with large bodies.
type Bounds struct {
	MaxBytes int64
	// Within is how long a body may take to come.
	Within time.Duration
	// Enter makes room for a body of so many bytes until leave; else the fault says why, and
	// when to come again.
	Enter func(agent gateway.Agent, bytes int64) (leave func(), refused *fault.Error)
}

// Bounded is Unary for large bodies: one is read only of an agent whose token is good, once
// there is room for it. Strangers take no memory.
func (a *Authenticator) Bounded(b Bounds, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var claimed string
		agent, ok := a.admit(w, r, func(t agentjwt.Token) string { claimed = t.BodyHash(); return claimed })
		if !ok {
			return
		}
		if r.ContentLength > b.MaxBytes {
			refuseLarge(w, b.MaxBytes)
			return
		}
		size := r.ContentLength
		if size < 0 {
			size = b.MaxBytes
		}
		leave, refused := b.Enter(agent, size)
		if refused != nil {
			refuseFor(w, refused)
			return
		}
		defer leave()
		if b.read(w, r, claimed) {
			next.ServeHTTP(w, withAgent(r, agent))
		}
	})
}

// read refuses a body that the token is not for.
func (b Bounds) read(w http.ResponseWriter, r *http.Request, claimed string) bool {
	slow := http.NewResponseController(w)
	if err := slow.SetReadDeadline(time.Now().Add(b.Within)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		refuse(w, http.StatusBadRequest, "invalid_argument", "body_incomplete", "the connection broke off")
		return false
	}
	body, ok := readBody(w, r, b.MaxBytes)
	if !ok {
		return false
	}
	_ = slow.SetReadDeadline(time.Time{}) // else what writes the answer finds out
	if subtle.ConstantTimeCompare([]byte(agentjwt.HashBody(body)), []byte(claimed)) != 1 {
		refuse(w, http.StatusUnauthorized, "unauthenticated", agentjwt.Reason(agentjwt.ErrBody), agentjwt.ErrBody.Error())
		return false
	}
	return true
}

// refuseFor answers that there is no room now.
func refuseFor(w http.ResponseWriter, f *fault.Error) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	refuse(w, http.StatusTooManyRequests, "resource_exhausted", f.Reason, f.Message)
}
