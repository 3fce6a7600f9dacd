package proxy

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// playSize is how much audio is read at once.
const playSize = 16 << 10

// isAudio tells an answer of bytes, which say nothing of themselves.
func isAudio(response *http.Response) bool {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return err == nil && (strings.HasPrefix(kind, "audio/") || kind == "application/octet-stream")
}

// play passes audio on as it comes: people hear its beginning while the rest is made. Its
// last byte waits until the record has ended.
func (u *upstream) play() {
	space := takeBuffer(playSize)
	defer space.release()
	buffer := space.bytes[:cap(space.bytes)]
	held, begun := 0, false
	for {
		n, err := u.Read(buffer[held:])
		held += n
		switch {
		case err != nil && begun:
			u.played(buffer[:held], err)
			return
		case err != nil:
			u.playedAtOnce(buffer[:held], err)
			return
		case held < 2:
			continue
		case !begun:
			if begun = true; !u.wins() {
				return
			}
			u.beginPlaying()
		}
		if _, err := u.exchange.w.Write(buffer[:held-1]); err != nil || u.exchange.w.flush() != nil {
			u.gone(u.response.StatusCode, dialect.Answer{}, false)
			return
		}
		buffer[0], held = buffer[held-1], 1
	}
}

func (u *upstream) beginPlaying() {
	e := u.exchange
	e.releaseBody() // nothing is tried again
	u.watch.spoke()
	u.firstByte()
	u.leg.voice.header(e.w.Header(), u.response.Header)
	if length := u.response.ContentLength; length > 0 {
		e.w.Header()["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	e.tellLimits()
	e.w.WriteHeader(u.response.StatusCode)
}

// playedAtOnce ends an answer that no second read went on with.
func (u *upstream) playedAtOnce(all []byte, err error) {
	switch {
	case !errors.Is(err, io.EOF):
		u.incomplete(err)
	case len(all) == 0:
		u.empty()
	case u.wins():
		u.beginPlaying()
		u.played(all, err)
	}
}

// played ends an answer of which the caller has a part. One that broke off has no end that
// the caller could take for one.
func (u *upstream) played(rest []byte, err error) {
	e := u.exchange
	switch {
	case u.callerGone():
		u.gone(u.response.StatusCode, dialect.Answer{}, false)
	case errors.Is(err, io.EOF):
		u.settle(end{outcome: usagev1.Outcome_OUTCOME_OK, status: u.response.StatusCode})
		_, _ = e.w.Write(rest) // it is settled: a caller that left misses nothing
	default:
		e.log().Warn("upstream broke off", "provider", u.target.Provider.Name, "error", cause(u.why(err)))
		_, refusal := u.breakage()
		u.settle(end{outcome: usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, status: u.response.StatusCode, code: refusal.Code})
		e.w.abort()
	}
}
