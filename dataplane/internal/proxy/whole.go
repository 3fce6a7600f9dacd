package proxy

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// codeUpstream stands in records for an error of the upstream that passed
// through: its own code is foreign text.
const codeUpstream = "upstream_error"

// errorTime bounds the wait for the body of an error after which another attempt can
// follow.
const errorTime = 2 * time.Second

// whole passes an answer that is not a stream: held until it is there, recorded,
// then sent.
func (u *upstream) whole() {
	e := u.exchange
	// A stated length beyond the limit will be refused, one that lies grows.
	body := takeBuffer(min(u.response.ContentLength, maxPooled) + 1)
	defer body.release()
	if err := u.fill(body); err != nil {
		u.incomplete(err)
		return
	}
	status := u.response.StatusCode
	if len(body.bytes) == 0 && status < http.StatusBadRequest {
		u.empty()
		return
	}
	said, err := u.leg.voice.whole(status, body.bytes)
	if err != nil {
		e.log().Warn("upstream's answer can't be read", "provider", u.target.Provider.Name, "upstream_status", status, "error", err)
		u.answerError(snapshot.UpstreamError, upstreamMalformed, usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, false)
		return
	}
	if said.credential {
		u.reject(snapshot.Credential, credentialRejected)
		return
	}
	end := end{outcome: usagev1.Outcome_OUTCOME_OK, status: said.status, answer: said.answer}
	if said.status >= http.StatusBadRequest || said.answer.Failed {
		end.outcome, end.code = usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, codeUpstream
		end.unused = refused(status)
		u.asked = said.retryAfter
		end.how, end.retryAfter = u.failureIn(status, body.bytes), u.retryAfter()
		if u.retry(end.how, end) {
			return
		}
	} else if how := u.filtered(body.bytes); how != 0 && u.retry(how, stopped(said.answer)) || u.isWholeInAStream(said.answer) {
		return
	} else {
		if !u.wins() {
			return
		}
		u.firstByte()
	}
	u.settle(end)
	if e.opened.Load() {
		u.writeLate(&said, body.bytes)
		return
	}
	header := e.w.Header()
	u.leg.voice.header(header, u.response.Header)
	if said.kind != "" {
		header["Content-Type"] = []string{said.kind}
	}
	if said.retryAfter > 0 && header["Retry-After"] == nil {
		header["Retry-After"] = []string{strconv.FormatInt(int64((said.retryAfter+time.Second-1)/time.Second), 10)}
	}
	header["Content-Length"] = []string{strconv.Itoa(len(said.body))}
	e.tellLimits()
	e.w.WriteHeader(said.status)
	_, _ = e.w.Write(said.body) // it is settled: the upstream's whole answer is here
}

// empty answers where nothing came. Something between may have lost it: what it cost is
// not known, as with one that broke off.
func (u *upstream) empty() {
	u.exchange.log().Warn("upstream sent an empty answer", "provider", u.target.Provider.Name, "upstream_status", u.response.StatusCode)
	u.answerError(snapshot.UpstreamError, upstreamEmpty, usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, false)
}

// fill reads the answer. An error that another attempt can mend is not waited for as
// long as an answer is: its status says enough.
func (u *upstream) fill(body *buffer) error {
	if status := u.response.StatusCode; status >= http.StatusBadRequest && u.mends(failureOf(status)) {
		late := time.AfterFunc(errorTime, func() { u.cancel(errSilent) })
		defer late.Stop()
	}
	return body.fill(u, u.exchange.maxAnswer())
}

// refused tells statuses by which a provider says that it did not serve. What stands
// in front of one says 502, 504 and Cloudflare's 520 and 524 when it lost the answer, or
// waited no longer for it: the provider may have gone on.
func refused(status int) bool {
	switch status {
	case http.StatusBadGateway, http.StatusGatewayTimeout, 520, 524:
		return false
	}
	return status >= http.StatusBadRequest
}

// incomplete answers where the body of an answer did not come whole. Nothing of
// it was sent yet.
func (u *upstream) incomplete(err error) {
	status := u.response.StatusCode
	if u.lost() {
		return
	}
	if u.callerGone() {
		u.gone(0, dialect.Answer{}, refused(status))
		return
	}
	u.exchange.log().Warn("upstream broke off", "provider", u.target.Provider.Name, "error", cause(u.why(err)))
	how, refusal := u.breakage()
	switch {
	case errors.Is(err, errTooLarge):
		how, refusal = 0, upstreamTooLarge
	case status >= http.StatusBadRequest:
		how = failureOf(status)
	}
	u.answerError(how, refusal, usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, refused(status))
}
